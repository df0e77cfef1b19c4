//! Three bytes that an editor of another system puts in front.

use crate::finding::{Fix, Safety, Severity};
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::text::{Edit, Span};

pub(super) static RULE: Rule = Rule {
    id: "byte-order-mark",
    severity: Severity::Error,
    summary: "the file begins with a byte order mark, which is part of the first word to Postfix",
    doc: "
Some editors put U+FEFF (three bytes, not visible) in front of UTF-8. To Postfix
it is a letter like others. If the first line of main.cf is a setting, its name
is another one, and the setting is lost; if it is a comment, it is none any more,
and all programs of Postfix stop. In a table the first key is never found, and in
master.cf the first service has another name.
",
    postfix_says: "unused parameter: ",
    fix: FixKind::Always,
    bad: "
\u{feff}smtp_tls_security_level = may
#^^ three bytes that are not visible
relayhost =
",
    good: "
smtp_tls_security_level = may
# \u{feff} and other characters may stand in comments
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for source in context.postfix_files() {
        if !context.sources.source(source).bytes().starts_with(b"\xef\xbb\xbf") {
            continue;
        }
        let span = Span::new(source, 0..3);
        findings.at(span, "three bytes that are not visible").fix(Fix {
            safety: Safety::Safe,
            title: "remove the byte order mark".to_owned(),
            edits: vec![Edit::new(span, "")],
        });
    }
}
