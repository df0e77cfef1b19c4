//! Fewer than eight fields.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::syntax::master_cf::Kind;
use crate::syntax::{lines, trim};

pub(super) static RULE: Rule = Rule {
    id: "master-fields-missing",
    severity: Severity::Error,
    summary: "a service in master.cf has fewer than eight fields",
    doc: "
A service is name, type, private, unprivileged, chroot, wakeup time, process
limit and command. master(8) and postconf stop at a logical line with fewer;
Postfix does not start.

Typical causes: a `-o` line that is not indented, a comment without `#`.
",
    postfix_says: "bad field count",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_tls_loglevel = 1
==> master.cf <==
relay     unix  -       -       n       -       -       smtp
-o syslog_name=relay
#^^^^^^^^^^^^^^^^^^^ no service
",
    good: "
==> main.cf <==
smtp_tls_loglevel = 1
==> master.cf <==
relay     unix  -       -       n       -       -
  smtp -o syslog_name=relay
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(services) = &context.services else { return };
    let conflicts = crate::rules::syntax::conflict_lines(services.bytes());
    for group in &services.master_cf().groups {
        let in_conflict = conflicts.binary_search(&group.range.start).is_ok();
        if matches!(group.kind, Kind::FewFields) && !in_conflict {
            let end = lines::line_end(services.bytes(), group.range.start);
            let (_, text) = trim(&services.bytes()[group.range.start..end]);
            let span = services.span(group.range.start..group.range.start + text.len());
            findings.at(span, "no service").help("indent it, if it belongs to the service above");
        }
    }
}
