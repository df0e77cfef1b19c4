//! Destinations without a level.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::ProblemKind;

pub(super) static RULE: Rule = Rule {
    id: "policy-file-incomplete",
    severity: Severity::Error,
    summary: "a destination in the policy file has no level",
    doc: "
A destination needs a level, from itself or from the profile that it uses.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> postls.yaml <==
version: 1
profiles:
  partner: {level: secure}
destinations:
  example.com: {use: partners}
#                    ^^^^^^^^ there is no profile \"partners\"
  example.net: {ciphers: high}
# ^^^^^^^^^^^ example.net has no level
",
    good: "
==> postls.yaml <==
version: 1
destinations:
  example.com: {use: partner}
# profiles may stand below
profiles:
  partner: {level: secure}
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    findings.policy_file(context, ProblemKind::Incomplete);
}
