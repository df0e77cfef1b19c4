//! pipe(8) and spawn(8) without a command or a user for it.

use super::{Attribute, attributes};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "master-command-incomplete",
    severity: Severity::Error,
    summary: "pipe(8) or spawn(8) is not told what to run, and as whom",
    doc: "
pipe(8) and spawn(8) need `user=` and `argv=`, in this order: all that follows
`argv=` is the command. Without both the program exits each time that it should
run the command, and the mail waits, or the client gets no answer.
",
    postfix_says: "missing user= command-line attribute",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
default_transport = filter
==> master.cf <==
filter    unix  -       n       n       -       -       pipe
#                                                       ^^^^ no user=
  flags=R argv=/bin/true user=nobody
",
    good: "
==> main.cf <==
default_transport = filter
==> master.cf <==
filter    unix  -       n       n       -       -       pipe
  -o syslog_name=filter USER=nobody flags=R argv=/bin/true
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(services) = &context.services else { return };
    for service in services.all() {
        let Some(attributes) = attributes(&service) else { continue };
        let has = |name: &str| attributes.iter().any(|it: &Attribute| it.name == name);
        // Where a word is none of an attribute, that is a finding of its own.
        if attributes.iter().any(|it| it.name.is_empty()) {
            continue;
        }
        for name in ["user", "argv"] {
            if !has(name) {
                let span = services.span(service.field_range(7));
                findings.at(span, format!("no {name}="));
            }
        }
    }
}
