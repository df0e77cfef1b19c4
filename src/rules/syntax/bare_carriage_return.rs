//! Line ends of an old kind.

use crate::finding::{Fix, Safety, Severity};
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::syntax::table::Kind;
use crate::syntax::{is_space, lines, lists, trim};
use crate::text::{Edit, SourceId, Span};

pub(super) static RULE: Rule = Rule {
    id: "bare-carriage-return",
    severity: Severity::Error,
    summary: "a carriage return without a newline does not end the line",
    doc: "
To Postfix a line ends at a newline. A carriage return before that is white
space, so files with the line ends of Windows work; a carriage return alone ends
nothing, and what follows it is part of the line: of the value, or of the comment.

Where what follows is no setting, it is a warning: in a list it is white space.
",
    postfix_says: "Invalid TLS level \"may",
    fix: FixKind::Sometimes,
    bad: "
smtp_tls_security_level = may\rsmtp_tls_loglevel = 1
#                            ^ what follows this carriage return is part of the line
",
    good: "
smtp_tls_security_level = may\r
smtp_tls_loglevel =\r
  1\r\r
",
    check,
};

/// A file with more lines than that is no configuration.
const MOST: usize = 10_000;

fn check(context: &Context<'_>, findings: &mut Findings) {
    let main_cf = context.configuration.as_ref().map(|it| it.span(0..0).source);
    for source in context.postfix_files() {
        let bytes = context.sources.source(source).bytes();
        let mut at = 0;
        while let Some(found) = memchr::memchr(b'\r', &bytes[at..]).map(|it| at + it) {
            let end = lines::line_end(bytes, found);
            at = end;
            let bare = bare(&bytes[found..end]);
            if bare.is_empty() {
                continue;
            }
            let behind = &bytes[found + bare[0] + 1..end];
            let next = behind.split(|byte| *byte == b'\r').find(|it| !trim(it).1.is_empty());
            let severity = if is_in_policy(context, source, found) {
                // A policy's words can stand between carriage returns as between blanks.
                Severity::Warning
            } else {
                severity(next.unwrap_or_default(), source, main_cf)
            };
            let span = |at: &usize| Span::new(source, found + at..found + at + 1);
            let text = "what follows this carriage return is part of the line";
            let finding = findings.milder(severity, span(&bare[0]), text);
            if bare.len() <= MOST {
                finding.fix(Fix {
                    safety: Safety::Unsafe,
                    title: "make them newlines".to_owned(),
                    edits: bare.iter().map(|at| Edit::new(span(at), "\n")).collect(),
                });
            }
        }
    }
}

/// Whether a place is in the right-hand side of a policy.
fn is_in_policy(context: &Context<'_>, source: SourceId, at: usize) -> bool {
    let tables = context.tables.iter().filter(|it| it.source == source && !it.clients.is_empty());
    tables.map(|it| &it.table.rows).any(|rows| {
        let row = rows.partition_point(|it| it.range().end <= at);
        let bytes = context.sources.source(source).bytes();
        rows.get(row).is_some_and(|it| it.kind == Kind::Entry && it.key_range(bytes).end < at)
    })
}

/// The places of carriage returns with more than white space behind them.
fn bare(line: &[u8]) -> Vec<usize> {
    let end = line.iter().rposition(|byte| !is_space(*byte)).unwrap_or(0);
    memchr::memchr_iter(b'\r', &line[..end]).take(MOST + 1).collect()
}

/// How much is lost with the text behind a carriage return.
fn severity(text: &[u8], source: SourceId, main_cf: Option<SourceId>) -> Severity {
    let entry = lists::name_and_value(text, 0..text.len());
    let is_lost = main_cf != Some(source) || (!entry.name.is_empty() && entry.value.is_some());
    if is_lost { Severity::Error } else { Severity::Warning }
}
