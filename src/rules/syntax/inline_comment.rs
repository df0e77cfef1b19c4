//! `name = value # comment`

use crate::config::{Configuration, Setting};
use crate::finding::{Fix, Severity};
use crate::lint::{Context, Findings, FixKind, Rule, Within};
use crate::policy::what::What;
use crate::postfix::{Parameter, Type};
use crate::syntax::is_space;
use crate::text::{Span, shortened};

pub(super) static RULE: Rule = Rule {
    id: "inline-comment",
    severity: Severity::Error,
    summary: "text after a value is part of the value, not a comment",
    doc: "
A comment in main.cf, master.cf and lookup tables is a line of its own. A `#`
behind a value belongs to the value: `may # opportunistic` is no security level,
and smtp(8) or smtpd(8) exits when it reads it; a path with a comment names a
file that is not there; a policy with one makes all mail to the destination
wait. `postfix check` says nothing about it; `postconf` warns from 3.8 on.

How bad it is depends on the parameter. Where the value is free text, such as a
banner, the comment is shown to everybody; lists of domains and networks end at
the `#`, with a warning in the log each time; further next hops named `#` are
tried when the first one fails. Postfix goes on in these cases, and then this is
a warning.

Move the comment to a line above.
",
    postfix_says: "Invalid TLS level \"may # opportunistic\"",
    fix: FixKind::Sometimes,
    bad: "
smtp_tls_security_level = may # opportunistic
#                             ^^^^^^^^^^^^^^^ the value is \"may # opportunistic\"
",
    good: "
# opportunistic
smtp_tls_security_level = may
smtp_tls_loglevel =
  # indented comments between the lines of a value are comments
  1
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let settings = context.configuration.iter().flat_map(Configuration::all_settings);
    let mut seen: Vec<Span> = Vec::new();
    for setting in settings {
        let Some(parameter) = setting.parameter else { continue };
        let value = setting.value();
        let Some(at) = start(value.text()) else { continue };
        let Some(severity) = severity(parameter, &value.text()[..at]) else { continue };
        let span = setting.span_in_value(at..value.text().len());
        let finding = findings.milder(severity, span, is("value", value.text()));
        finding.help("move the comment to a line above");
        finding.fix = fix(context, setting, at);
        seen.push(setting.value_span());
    }
    // Those that only postconf minds: in -o values, and behind a reference.
    for span in context.names().iter().flat_map(|it| &it.comments) {
        let inside = |it: &&Span| it.source == span.source && it.start <= span.start && span.end <= it.end;
        // What refers to a value with a comment is the same mistake.
        let behind = context.configuration.iter().flat_map(|it| it.behind(context.sources.bytes(*span)));
        let known = behind.map(|it| it.value_span()).any(|it| seen.contains(&it));
        if !known && !seen.iter().any(|it| inside(&it)) {
            findings.milder(Severity::Warning, *span, "postconf takes this for a comment");
        }
    }
    for found in context.row_problems() {
        let problem = found.problem;
        if problem.what == What::Comment {
            let value = match found.within {
                Within::Table(table) => context.row_value(table, problem.row),
                Within::Value | Within::PolicyFile => context.sources.text(problem.span).into_owned(),
            };
            let finding = findings.at(problem.span, is("policy", value.as_bytes()));
            finding.help("move the comment to a line above");
            if let Within::Table(table) = found.within {
                let row = table.table.rows[problem.row].range();
                let is_one_line = !context.sources.bytes(problem.span).contains(&b'\n');
                finding.fix = context.move_comment(row.start, problem.span).filter(|_| is_one_line);
            }
        }
    }
}

/// What Postfix has read.
fn is(what: &str, text: &[u8]) -> String {
    let text: Vec<&[u8]> = text.split(|byte| is_space(*byte)).filter(|it| !it.is_empty()).collect();
    format!("the {what} is \"{}\"", shortened(&String::from_utf8_lossy(&text.join(&b' '))))
}

/// Where a comment begins: a `#` at the start of a word, outside quotes and braces.
fn start(value: &[u8]) -> Option<usize> {
    let (mut quoted, mut braces) = (false, 0_u32);
    for (at, byte) in value.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'{' => braces += 1,
            b'}' => braces = braces.saturating_sub(1),
            b'#' if !quoted && braces == 0 && (at == 0 || is_space(value[at - 1]) || value[at - 1] == b',') => {
                return Some(at);
            }
            _ => {}
        }
    }
    None
}

/// What values of text are about where Postfix refuses, complains of or acts upon a `#`.
const REFUSED: &[&str] = &[
    "alias-files", "cache-map", "cert-file", "cipher-exclusion-list", "curve", "curve-list", "digest", "dir", "enum-list",
    "file", "file-list", "fingerprint-list", "group", "hostname", "interface-list", "ip-address", "map", "maps",
    "milter-list", "openssl-cipherlist", "requiretls-policy", "tls-cipher-grade", "tls-level", "tls-loglevel", "tls-protocols",
    "transport", "user", "version",
];

/// Parameters that are about the same, and where Postfix does not mind.
const HARMLESS: &[&str] = &[
    "lmtp_lhlo_name", "milter_macro_daemon_name", "parent_domain_matches_subdomains", "smtp_helo_name", "smtpd_sasl_local_domain",
];

/// What Postfix makes of a comment in this parameter; `None` where nobody is hurt.
fn severity(parameter: &Parameter, before: &[u8]) -> Option<Severity> {
    let before = before.trim_ascii_end();
    match (parameter.kind, parameter.about) {
        // Expanded when mail is delivered, or by a shell: a `#` may be meant.
        (Type::Raw, _) | (_, "command") => None,
        // What follows the unit is ignored; without a unit the blank is a bad one.
        (Type::Time, _) if before.last().is_some_and(u8::is_ascii_alphabetic) => Some(Severity::Warning),
        (Type::Bool | Type::Int | Type::Enum | Type::Time, _) => Some(Severity::Error),
        // A word that is always the last one to be looked at hides the rest.
        (Type::String, "restriction-list") => {
            let last = before.rsplit(|byte| is_space(*byte) || *byte == b',').next().unwrap_or_default();
            let ends = [b"permit".as_slice(), b"reject", b"defer"].iter().any(|it| last.eq_ignore_ascii_case(it));
            Some(if ends { Severity::Warning } else { Severity::Error })
        }
        // A greeting is not compared with anything; the list ends like one of domains.
        _ if HARMLESS.contains(&parameter.name) => Some(Severity::Warning),
        (Type::String, about) if REFUSED.contains(&about) => Some(Severity::Error),
        (Type::String, _) => Some(Severity::Warning),
    }
}

/// Moves the comment above the entry, where no other one follows it.
fn fix(context: &Context<'_>, setting: Setting<'_>, at: usize) -> Option<Fix> {
    let value = setting.value();
    let comment = setting.span_in_value(at..value.text().len());
    let line = context.sources.bytes(comment).split(|it| *it == b'\n').next().unwrap_or_default();
    let others = value.text().get(at + line.len()..).unwrap_or_default();
    if start(others).is_some() {
        return None;
    }
    context.move_comment(setting.name_span().range().start, comment)
}
