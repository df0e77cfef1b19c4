//! NUL in a file of text.

use crate::finding::{Fix, Safety, Severity};
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::syntax::lines;
use crate::text::{Edit, Span};

pub(super) static RULE: Rule = Rule {
    id: "null-byte",
    severity: Severity::Error,
    summary: "a NUL byte ends the logical line to Postfix",
    doc: "
Postfix takes a logical line up to the first NUL byte; the rest, with the lines
that continue it, is lost. Up to Postfix 3.8 nothing says so, from 3.9 on each
program warns when it reads the file.

A NUL in a comment, or one with nothing behind it, is a warning. Many of them
mean that the file is not written as Postfix reads it, for example in UTF-16.
",
    postfix_says: "Invalid TLS level \"m\"",
    fix: FixKind::Sometimes,
    bad: "
smtp_tls_security_level = m\0ay
#                          ^ what follows this NUL is lost
",
    good: "
smtp_tls_security_level = may
",
    check,
};

/// With more of them in a line it is no text.
const MOST: usize = 1000;

fn check(context: &Context<'_>, findings: &mut Findings) {
    for source in context.postfix_files() {
        let bytes = context.sources.source(source).bytes();
        let mut at = 0;
        // One in each line: the others come from the same mistake.
        while let Some(found) = memchr::memchr(0, &bytes[at..]).map(|it| at + it) {
            at = lines::line_end(bytes, found);
            let start = memchr::memrchr(b'\n', &bytes[..found]).map_or(0, |it| it + 1);
            let empty = bytes[found..at].iter().all(|byte| *byte == 0 || crate::syntax::is_space(*byte));
            let (severity, text) = if lines::is_trivia(&bytes[start..at]) {
                (Severity::Warning, "a NUL in a comment")
            } else if empty {
                (Severity::Warning, "a NUL at the end of the line")
            } else {
                (Severity::Error, "what follows this NUL is lost")
            };
            let finding = findings.milder(severity, Span::new(source, found..found + 1), text);
            let nulls = memchr::memchr_iter(0, &bytes[found..at]).map(|it| found + it);
            let remove = |it| Edit::new(Span::new(source, it..it + 1), "");
            let edits: Vec<Edit> = nulls.map(remove).take(MOST + 1).collect();
            if edits.len() <= MOST {
                let title = "remove the NUL bytes of the line".to_owned();
                finding.fix(Fix { safety: Safety::Unsafe, title, edits });
            }
        }
    }
}
