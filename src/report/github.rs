//! Annotations of GitHub Actions: commands in the log that the runner shows beside the lines.
//!
//! Of each severity the runner shows ten in a step, and fifty of all in a job: errors come first,
//! so that advice does not take their places.

use std::cmp::Reverse;
use std::fmt::Write;

use super::human::printable;
use super::place::Columns;
use super::{Report, Style};
use crate::finding::Severity;

/// The commands, and as plain lines what was not checked.
pub(super) fn lint(report: &Report<'_>, style: Style) -> String {
    let mut text = String::new();
    let mut columns = Columns::default();
    let mut findings = report.findings.clone();
    findings.sort_by_key(|(_, it)| Reverse(it.severity));
    for (sources, finding) in findings {
        let path = report.root.path(sources.of(finding.primary.span).name());
        let region = columns.region(sources, finding.primary.span);
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Advice => "notice",
        };
        let file = property(&path.to_string_lossy());
        let (line, end_line) = (region.start_line, region.end_line);
        // Writing to a String cannot fail.
        let _ = write!(text, "::{command} file={file},line={line},endLine={end_line}");
        // Over several lines the runner takes no columns.
        if line == end_line {
            let (column, end_column) = (region.start_column, region.end_column);
            let _ = write!(text, ",col={column},endColumn={end_column}");
        }
        let title = property(&format!("postls ({})", finding.rule));
        let mut message = data(&printable(&finding.message()));
        if let Some(help) = &finding.help {
            message += "%0A";
            message += &data(&printable(help));
        }
        let _ = writeln!(text, ",title={title}::{message}");
    }
    if !style.quiet {
        for it in report.not_checked {
            let _ = writeln!(text, "not checked: {}: {}", printable(&it.what), printable(&it.why));
        }
    }
    text
}

/// What stands behind `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// What stands behind `=`.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
