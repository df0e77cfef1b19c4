//! A last line without an end.

use crate::finding::{Fix, Safety, Severity};
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::syntax::trim;
use crate::text::{Edit, Span};

pub(super) static RULE: Rule = Rule {
    id: "missing-final-newline",
    severity: Severity::Advice,
    summary: "the last line of the file does not end with a newline",
    doc: "
Postfix does not mind. But a line that a script appends becomes part of the last
one: of its value, or of its comment.
",
    postfix_says: "",
    fix: FixKind::Always,
    bad: "
relayhost =
#vvvvvvvvvvvvvvvvvvvv no newline behind this
smtp_tls_loglevel = 1",
    good: "
relayhost =
smtp_tls_loglevel = 1
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for source in context.postfix_files() {
        let bytes = context.sources.source(source).bytes();
        if bytes.is_empty() || bytes.ends_with(b"\n") {
            continue;
        }
        let start = memchr::memrchr(b'\n', bytes).map_or(0, |it| it + 1);
        let (skipped, text) = trim(&bytes[start..]);
        // Of a file that holds passwords, the line is not shown.
        let length = if context.is_secret(source) { text.len().min(1) } else { text.len() };
        let span = Span::new(source, start + skipped..start + skipped + length);
        let end = Span::new(source, bytes.len()..bytes.len());
        findings.at(span, "no newline behind this").fix(Fix {
            safety: Safety::Safe,
            title: "end the line".to_owned(),
            edits: vec![Edit::new(end, "\n")],
        });
    }
}
