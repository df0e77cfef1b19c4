//! Rows that are not UTF-8.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::what::What;

pub(super) static RULE: Rule = Rule {
    id: "policy-not-utf8",
    severity: Severity::Error,
    summary: "a policy is lost, since its row is not UTF-8",
    doc: "
With `smtputf8_enable = yes`, the default from compatibility_level 1 on, lookup tables
are UTF-8. Postfix up to
3.10 ignores a row that is not, with a warning when the table is opened: mail to the
destination goes as main.cf says, perhaps in the clear. 3.11 and newer find the row,
refuse its text, and defer all mail to the destination with 4.7.5.
",
    postfix_says: "non-UTF-8",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
compatibility_level = 3.6
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> tls_policy <==
example.com encrypt exclude=\u{fffd}
#^^^^^^^^^^ this row is not UTF-8
",
    good: "
==> main.cf <==
compatibility_level = 3.6
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> tls_policy <==
b\u{fc}cher.example encrypt
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for found in context.row_problems() {
        if found.problem.what == What::NotUtf8 {
            findings
                .at(found.problem.span, "this row is not UTF-8")
                .help("write it in UTF-8, or names in their ASCII form (xn--…)");
        }
    }
}
