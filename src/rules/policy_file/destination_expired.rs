//! Destinations whose last day has passed.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "destination-expired",
    severity: Severity::Warning,
    summary: "the policy for a destination should have ended",
    doc: "
`expires:` is the last day on which an exception is good. postls goes on to
compile the destination: a policy that vanishes overnight is worse than one that
stays too long. Take it out, or give it another day.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> postls.yaml <==
version: 1
destinations:
  slow.example: {level: may, expires: 2026-11-23, reason: they install a certificate}
#                                     ^^^^^^^^^^ it was good until this day
",
    good: "
==> postls.yaml <==
version: 1
destinations:
  slow.example: {level: may, expires: 2026-11-24, reason: they install a certificate}
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some((policies, today)) = context.policies.zip(context.today) else { return };
    let expires = policies.destinations.iter().filter_map(|it| it.expires.as_ref());
    for expires in expires.filter(|it| it.value < today) {
        findings.at(expires.span, "it was good until this day");
    }
}
