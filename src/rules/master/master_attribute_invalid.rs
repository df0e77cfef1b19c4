//! Words that pipe(8) and spawn(8) do not take.

use super::attributes;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::text::{nearest, shortened};

pub(super) static RULE: Rule = Rule {
    id: "master-attribute-invalid",
    severity: Severity::Error,
    summary: "pipe(8) or spawn(8) gets an attribute that it does not know",
    doc: "
In front of `argv=` pipe(8) takes chroot, directory, eol, flags, null_sender,
size and user, and spawn(8) takes user. flags= holds letters of pipe(8), size= is
a number. With anything else the program exits each time that it should run the
command: the mail waits, or the client gets no answer.

A typical cause is a blank: `argv= /bin/x`, `user = x`. Words behind `argv=`
belong to the command, whatever they are.
",
    postfix_says: "unknown attribute name: users=nobody",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
default_transport = filter
==> master.cf <==
filter    unix  -       n       n       -       -       pipe
  flags=R users=nobody argv=/bin/true
#         ^^^^^^^^^^^^ pipe(8) does not know \"users=nobody\"
",
    good: "
==> main.cf <==
default_transport = filter
==> master.cf <==
filter    unix  -       n       n       -       -       pipe
  flags=DRX.hqu> size=1000000 eol=\\n user=nobody argv=/bin/true users=nobody
",
    check,
};

/// The letters of `flags=` (`pipe/pipe.c`).
const FLAGS: &str = "BDFORX.>hqu";

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(services) = &context.services else { return };
    for service in services.all() {
        let Some(attributes) = attributes(&service) else { continue };
        let program = String::from_utf8_lossy(service.field(7));
        for it in &attributes {
            let value = String::from_utf8_lossy(service.bytes(it.value.clone()));
            let text = match it.name {
                "" => format!("{program}(8) does not know \"{}\"", shortened(&value)),
                "flags" => match value.chars().find(|it| !FLAGS.contains(*it)) {
                    Some(flag) => format!("{program}(8) has no flag \"{}\"", shortened(&flag.to_string())),
                    None => continue,
                },
                "size" if !value.bytes().all(|it| it.is_ascii_digit()) => {
                    format!("\"{}\" is not a size in bytes", shortened(&value))
                }
                _ => continue,
            };
            let finding = findings.at(services.span(service.locate(it.value.clone())), text);
            let name = value.split('=').next().unwrap_or_default().to_ascii_lowercase();
            let known = super::attribute_names(service.field(7)).iter().copied();
            if let Some(near) = nearest(&name, known).filter(|_| it.name.is_empty()) {
                finding.help(format!("did you mean {near}=?"));
            }
            // The program stops at the first one.
            break;
        }
    }
}
