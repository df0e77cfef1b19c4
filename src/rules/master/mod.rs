//! The services of master.cf.

use std::ops::Range;

use crate::config::{Effective, Scope};
use crate::syntax::lists::Assignment;
use crate::syntax::master_cf::{Argument, ServiceText};
use crate::text::shortened;

rules! {
    client_without_tlsproxy,
    master_argument_braces,
    master_attribute_invalid,
    master_command_incomplete,
    master_duplicate_override,
    master_duplicate_service,
    master_field_invalid,
    master_fields_missing,
    master_override_malformed,
    master_process_limit_unfit,
    master_service_unprivileged,
    master_stray_argument,
    master_user_privileged,
    service_missing,
    tlsmgr_missing,
}

/// Whether master.cf has most of the services that mail passes through. Without them it is a part of
/// one, or a host that does something else.
fn is_whole(view: &Effective<'_>) -> bool {
    const PASSED: [&[u8]; 5] = [b"pickup", b"cleanup", b"qmgr", b"rewrite", b"bounce"];
    PASSED.iter().filter(|it| has_service(view, it)).count() >= 4
}

/// Whether a service of this name is there for other programs of Postfix.
fn has_service(view: &Effective<'_>, name: &[u8]) -> bool {
    view.scopes.iter().any(|it| it.service == name && !it.name.ends_with(b"/inet"))
}

/// The prefix of the parameters of a service that is an SMTP or LMTP client.
fn client_program(scope: &Scope) -> Option<&'static str> {
    match scope.program() {
        b"smtp" => Some("smtp"),
        b"lmtp" => Some("lmtp"),
        _ => None,
    }
}

/// A name for a message.
fn shown(name: &[u8]) -> String {
    format!("\"{}\"", shortened(&String::from_utf8_lossy(name)))
}

/// `name=value` in front of the command of pipe(8) or spawn(8).
struct Attribute {
    /// In lower case; empty for a word that the program does not know.
    name: &'static str,
    /// The value; the whole word where there is no known name.
    value: Range<usize>,
}

/// What pipe(8) or spawn(8) is told; `None` for another program, and where its options are wrong, which
/// is a finding of its own.
fn attributes(service: &ServiceText<'_>) -> Option<Vec<Attribute>> {
    let names = attribute_names(service.field(7));
    let mut found = Vec::new();
    if names.is_empty() {
        return None;
    }
    for argument in service.arguments() {
        let range = match argument {
            Argument::Override { assignment: Assignment { value: Some(_), .. }, .. } => continue,
            Argument::Override { .. } | Argument::Dangling(_) => return None,
            Argument::Word(range) => range,
        };
        let word = service.bytes(range.clone());
        if found.is_empty() && word.starts_with(b"-") {
            continue;
        }
        // Its braces are taken away.
        if word.starts_with(b"{") {
            return None;
        }
        let is = |name: &&&str| {
            let begin = word.get(..name.len());
            begin.is_some_and(|it| it.eq_ignore_ascii_case(name.as_bytes()))
                && word.get(name.len()) == Some(&b'=')
        };
        let name = names.iter().find(is).copied().unwrap_or_default();
        let start = if name.is_empty() { range.start } else { range.start + name.len() + 1 };
        found.push(Attribute { name, value: start..range.end });
        if name == "argv" {
            break;
        }
    }
    Some(found)
}

/// The attributes that a program takes (`pipe/pipe.c`, `spawn/spawn.c`); none for others.
fn attribute_names(program: &[u8]) -> &'static [&'static str] {
    match program {
        b"pipe" => &["argv", "chroot", "directory", "eol", "flags", "null_sender", "size", "user"],
        b"spawn" => &["argv", "user"],
        _ => &[],
    }
}
