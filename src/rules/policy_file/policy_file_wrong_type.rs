//! A list where text must stand.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::ProblemKind;

pub(super) static RULE: Rule = Rule {
    id: "policy-file-wrong-type",
    severity: Severity::Error,
    summary: "a value in the policy file is of the wrong type",
    doc: "
Each key takes text, a list, a mapping, or true and false. Nothing at all, as
in `match:` at the end of a line, is none of them.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> postls.yaml <==
version: 1
destinations:
  example.com: [encrypt]
#              ^^^^^^^^^ a destination must be a level or a mapping, and is a list
",
    good: "
==> postls.yaml <==
version: 1
destinations:
  example.com: encrypt
  example.net: {level: secure, match: mx.example.net}
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    findings.policy_file(context, ProblemKind::WrongType);
}
