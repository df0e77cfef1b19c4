//! `version:`

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::ProblemKind;

pub(super) static RULE: Rule = Rule {
    id: "policy-file-version",
    severity: Severity::Error,
    summary: "the policy file does not say that it is of version 1",
    doc: "
The first line of a policy file is `version: 1`, so that a later postls can tell
an old file from one with a mistake.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> postls.yaml <==
version: 2
#        ^ this postls reads version 1
destinations:
  example.com: encrypt
",
    good: "
==> postls.yaml <==
# the order does not matter
destinations:
  example.com: encrypt
version: 1
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    findings.policy_file(context, ProblemKind::Version);
}
