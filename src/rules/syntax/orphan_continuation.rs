//! A first line that begins with white space.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::syntax::lines;
use crate::syntax::main_cf::Kind;
use crate::syntax::master_cf;
use crate::text::{SourceId, Span};

pub(super) static RULE: Rule = Rule {
    id: "orphan-continuation",
    severity: Severity::Error,
    summary: "the first line begins with white space and continues nothing",
    doc: "
A line that begins with white space continues the logical line above. Where
there is none, Postfix drops the line, and all that continue it, with a warning
in the log; the programs start as if it were not there.

Remove the white space, or the line.
",
    postfix_says: "logical line must not start with whitespace",
    fix: FixKind::Never,
    bad: "
# the first setting
  smtp_tls_security_level = may
# ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Postfix drops this line
relayhost =
",
    good: "
# the first setting
smtp_tls_security_level =
  may
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut at = |source: SourceId, range: std::ops::Range<usize>| {
        let bytes = context.sources.source(source).bytes();
        let end = lines::line_end(bytes, range.start);
        let (start, text) = crate::syntax::trim(&bytes[range.start..end]);
        let start = range.start + start;
        // Of a file that holds passwords, the line is not shown.
        let length = if context.is_secret(source) { 1 } else { text.len() };
        findings.at(Span::new(source, start..start + length), "Postfix drops this line");
    };
    if let Some(configuration) = &context.configuration {
        for group in &configuration.main_cf().groups {
            if matches!(group.kind, Kind::Orphan) {
                at(configuration.span(group.range.clone()).source, group.range.clone());
            }
        }
    }
    if let Some(services) = &context.services {
        for group in &services.master_cf().groups {
            if matches!(group.kind, master_cf::Kind::Orphan) {
                at(services.span(group.range.clone()).source, group.range.clone());
            }
        }
    }
    for table in &context.tables {
        for row in &table.table.rows {
            if row.kind == crate::syntax::table::Kind::Orphan {
                at(table.source, row.range());
            }
        }
    }
    for problem in context.patterns.iter().flat_map(|it| &it.problems) {
        if problem.is_orphan() {
            at(problem.span.source, problem.span.range());
        }
    }
}
