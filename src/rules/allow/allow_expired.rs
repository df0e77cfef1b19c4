//! Allows whose last day has passed.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "allow-expired",
    severity: Severity::Warning,
    summary: "an allow has run out",
    doc: "
The last day of the allow has passed, and it allows nothing any more: the
findings are shown again. Mend what they are about, or find out why it still has
to be and give it another day.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
# postls: allow(weak-fingerprint-digest) the partner moves in March until=2026-03-31
#               ^^^^^^^^^^^^^^^^^^^^^^^ 2026-03-31 has passed
smtp_tls_fingerprint_digest = sha1
",
    good: "
# postls: allow(weak-fingerprint-digest) the partner moves in March until=2099-03-31
smtp_tls_fingerprint_digest = sha1
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for allow in context.allows().allows.iter().filter(|it| it.has_run_out(context.today)) {
        let Some(until) = allow.until else { continue };
        findings.at(allow.rule.span, format!("{until} has passed"));
    }
}
