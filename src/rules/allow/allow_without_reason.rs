//! Allows that do not say why.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "allow-without-reason",
    severity: Severity::Warning,
    summary: "an allow has no reason",
    doc: "
Without a reason the next one who reads the file cannot tell whether it still
holds, so it allows nothing. Say why, behind the parenthesis.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
# postls: allow(weak-fingerprint-digest) until=2099-03-31
#               ^^^^^^^^^^^^^^^^^^^^^^^ the reason comes behind the parenthesis
smtp_tls_fingerprint_digest = sha1
",
    good: "
# postls: allow(weak-fingerprint-digest) contract 2026-14
smtp_tls_fingerprint_digest = sha1
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for allow in context.allows().allows.iter().filter(|it| !it.reasoned) {
        findings.at(allow.rule.span, "the reason comes behind the parenthesis");
    }
}
