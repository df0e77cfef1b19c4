//! Values that Postfix could not read.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::ProblemKind;

pub(super) static RULE: Rule = Rule {
    id: "policy-file-value-invalid",
    severity: Severity::Error,
    summary: "a value in the policy file cannot be used",
    doc: "
The value could not be written into main.cf or a policy table so that Postfix
reads it back, or Postfix would refuse it when mail is on its way: a blank or a
comma in a name, a cipher grade or a protocol that does not exist, a day that is
not in the calendar.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> postls.yaml <==
version: 1
destinations:
  example.com: {level: encrypt, ciphers: strong}
#                                        ^^^^^^ \"strong\" cannot stand in ciphers
",
    good: "
==> postls.yaml <==
version: 1
destinations:
  example.com: {level: encrypt, ciphers: HIGH, protocols: [TLSv1.2, TLSv1.3]}
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    findings.policy_file(context, ProblemKind::Value);
}
