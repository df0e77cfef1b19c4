//! Programs that need the rights of root, and do not get them.

use crate::finding::{Fix, Safety, Severity};
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::text::Edit;

pub(super) static RULE: Rule = Rule {
    id: "master-service-unprivileged",
    severity: Severity::Error,
    summary: "a program that needs privileges is to run without",
    doc: "
local(8), virtual(8), pipe(8) and spawn(8) begin as root and give that up
before they run or write anything: the field `unpriv` must be n. The default, -,
means y; then the program exits at its start, and the mail waits.
",
    postfix_says: "requires privileged operation",
    fix: FixKind::Always,
    bad: "
==> main.cf <==
default_transport = filter
==> master.cf <==
filter    unix  -       -       n       -       -       pipe
#                       ^ pipe(8) runs only with n
  user=nobody argv=/bin/true
",
    good: "
==> main.cf <==
default_transport = filter
==> master.cf <==
filter    unix  -       n       n       -       -       pipe
  user=nobody argv=/bin/true
smtp      unix  -       y       n       -       -       smtp
",
    check,
};

/// The programs (`MAIL_SERVER_PRIVILEGED` in their sources).
const PRIVILEGED: &[&[u8]] = &[b"local", b"pipe", b"spawn", b"virtual"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(services) = &context.services else { return };
    for service in services.all() {
        let program = service.field(7);
        if !PRIVILEGED.contains(&program) || !matches!(service.field(3), b"-" | b"y") {
            continue;
        }
        let span = services.span(service.field_range(3));
        let program = String::from_utf8_lossy(program);
        findings.at(span, format!("{program}(8) runs only with n")).fix(Fix {
            safety: Safety::Safe,
            title: "make it n".to_owned(),
            edits: vec![Edit::new(span, "n")],
        });
    }
}
