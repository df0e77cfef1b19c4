//! `file:line:col: severity: message [rule]`, one line for each finding.

use std::fmt::Write;

use super::{Report, Style};

/// The lines.
pub(super) fn lint(report: &Report<'_>, _: Style) -> String {
    let mut text = String::new();
    for (sources, finding) in &report.findings {
        let source = sources.of(finding.primary.span);
        let (line, column) = source.line_column(finding.primary.span.start);
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{}:{}:{column}: {}: {} [{}]",
            super::human::printable(source.name()),
            line.number(),
            finding.severity.name(),
            super::human::printable(&finding.message()),
            finding.rule
        );
    }
    text
}
