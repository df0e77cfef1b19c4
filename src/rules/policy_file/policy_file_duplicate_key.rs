//! The same key twice.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::ProblemKind;

pub(super) static RULE: Rule = Rule {
    id: "policy-file-duplicate-key",
    severity: Severity::Error,
    summary: "something stands in the policy file twice",
    doc: "
Most YAML readers keep the last of two equal keys and say nothing. For a
destination that would be a policy that nobody sees. Destinations are compared
as Postfix compares them, in lower case, and over all included files.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> postls.yaml <==
version: 1
destinations:
  example.com: secure
  example.net: encrypt
  Example.COM: may
# ^^^^^^^^^^^ example.com again
",
    good: "
==> postls.yaml <==
version: 1
destinations:
  example.com: secure
  .example.com: may
  \"[example.com]\": may
  example.com:587: may
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    findings.policy_file(context, ProblemKind::DuplicateKey);
}
