//! `myorigin = a.example, b.example`

use super::{read_values, refused, shown};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::Type;

pub(super) static RULE: Rule = Rule {
    id: "myorigin-invalid",
    severity: Severity::Error,
    summary: "myorigin has more than one domain",
    doc: "
myorigin is the one domain that is put behind addresses without any. With two of
them, or with a comma, no program of Postfix starts. The domains that mail is taken
for stand in mydestination.
",
    postfix_says: "myorigin parameter setting must not contain multiple values",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
==> master.cf <==
smtp unix - - n - - smtp
  -o myorigin=a.example,b.example
#             ^^^^^^^^^^^^^^^^^^^ \"a.example,b.example\" is not one domain
",
    good: "
myorigin = $mydomain
mydestination = a.example, b.example
mydomain = example.com
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for it in read_values(context, &[Type::String]) {
        let is_separator = |it: &u8| matches!(it, b',' | b' ' | b'\t' | b'\r' | b'\n');
        // A name that begins with a slash is a file, and a comment, which may come with a
        // reference, is a finding of its own.
        let is_other = it.value.starts_with(b"/") || it.value.windows(2).any(|it| it == b" #");
        if it.name == "myorigin" && !is_other && it.value.iter().any(is_separator) {
            refused(findings, &it, format!("{} is not one domain", shown(&it.value)), None);
        }
    }
}
