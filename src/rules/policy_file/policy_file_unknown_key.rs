//! Keys that do not exist.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::ProblemKind;

pub(super) static RULE: Rule = Rule {
    id: "policy-file-unknown-key",
    severity: Severity::Error,
    summary: "the policy file has a key that does not exist",
    doc: "
A key that nobody knows is a mistake, not a remark: `levle: secure` would
otherwise be a destination without a policy.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> postls.yaml <==
version: 1
destinations:
  example.com: {levle: secure}
#               ^^^^^ a destination has no \"levle\"
",
    good: "
==> postls.yaml <==
version: 1
destinations:
  example.com: {level: secure}
  # any next-hop destination is a key here
  levle.example: encrypt
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    findings.policy_file(context, ProblemKind::UnknownKey);
}
