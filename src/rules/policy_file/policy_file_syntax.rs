//! Not YAML.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::ProblemKind;

pub(super) static RULE: Rule = Rule {
    id: "policy-file-syntax",
    severity: Severity::Error,
    summary: "the policy file is not readable",
    doc: "
The policy file is YAML 1.2 in UTF-8: one document, indented with spaces,
without aliases (a profile serves several destinations). A key that begins with
`[`, such as `\"[relay.example.net]:587\"`, must stand in quotes.

Behind a mistake of this kind nothing more is read.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> postls.yaml <==
version: 1
destinations:
\texample.com: encrypt
#^^^^^^^^^^^^^^^^^^^^ a tab indents this line
",
    good: "
==> postls.yaml <==
version: 1
destinations:
  # a tab\tin a comment
  example.com:\tencrypt
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    findings.policy_file(context, ProblemKind::Syntax);
}
