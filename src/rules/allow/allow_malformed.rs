//! Comments to postls that it does not understand.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "allow-malformed",
    severity: Severity::Warning,
    summary: "a comment to postls cannot be understood",
    doc: "
A comment that begins with `postls:` is for postls, and says which rule is
allowed and why:

```text
# postls: allow(rule-id) the reason
# postls: allow(rule-id) the reason until=2027-03-31
```

It stands alone, directly above the logical line that it is about. In the policy
file comments allow nothing; there it is `lint: {allow: {rule-id: the reason}}`,
for the whole directory.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
# postls: alow(inline-comment) we like it
#         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ allow(rule) and a reason come here
relayhost =
",
    good: "
# postls is told so in the policy file
relayhost =
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (span, text) in &context.allows().malformed {
        findings.at(*span, text.clone());
    }
}
