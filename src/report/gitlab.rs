//! GitLab's code quality report.

use serde::Serialize;

use super::place::Columns;
use super::{Report, Style};
use crate::finding::Severity;
use crate::lint::identities;

#[derive(Serialize)]
struct Item<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
    end: u32,
}

/// The report as one JSON list.
pub(super) fn lint(report: &Report<'_>, _: Style) -> String {
    let mut columns = Columns::default();
    let identities = identities(report.findings.iter().copied());
    let found = report.findings.iter().zip(identities);
    let items = found.map(|((sources, finding), fingerprint)| {
        let path = report.root.path(sources.of(finding.primary.span).name());
        let region = columns.region(sources, finding.primary.span);
        Item {
            description: finding.message(),
            check_name: finding.rule,
            fingerprint,
            severity: match finding.severity {
                Severity::Error => "critical",
                Severity::Warning => "minor",
                Severity::Advice => "info",
            },
            location: Location {
                path: path.to_string_lossy().into_owned(),
                lines: Lines { begin: region.start_line, end: region.end_line },
            },
        }
    });
    super::json::pretty(&items.collect::<Vec<Item<'_>>>())
}
