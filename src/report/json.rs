//! Findings for programs. The form is a promise: fields are added, never changed.

use serde::Serialize;

use super::Report;
use crate::finding::{Finding, Safety, Severity};
use crate::text::{Sources, Span};

#[derive(Serialize)]
struct Lint<'a> {
    schema: &'static str,
    postfix: String,
    postfix_why: &'a str,
    findings: Vec<Item<'a>>,
    not_shown: NotShown,
    not_checked: Vec<NotChecked<'a>>,
    summary: Summary,
}

#[derive(Serialize)]
struct Item<'a> {
    rule: &'a str,
    severity: &'static str,
    message: String,
    #[serde(flatten)]
    place: Place<'a>,
    related: Vec<Related<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<Fix<'a>>,
}

/// Lines and columns from 1, columns in bytes; the end is behind the last byte.
#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
}

#[derive(Serialize)]
struct Related<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    message: &'a str,
}

#[derive(Serialize)]
struct Fix<'a> {
    safety: &'static str,
    title: &'a str,
}

/// Findings that are not shown.
#[derive(Serialize)]
struct NotShown {
    /// Somebody allows them.
    allowed: usize,
    /// They were there when the baseline was written.
    in_baseline: usize,
    /// The baseline has them, and they are not found any more.
    gone_from_baseline: usize,
}

#[derive(Serialize)]
struct NotChecked<'a> {
    what: &'a str,
    why: &'a str,
}

#[derive(Serialize)]
struct Summary {
    error: usize,
    warning: usize,
    advice: usize,
}

/// The report as one JSON object.
pub fn lint(report: &Report<'_>) -> String {
    let lint = Lint {
        schema: "postls/lint/v1",
        postfix: report.postfix.to_string(),
        postfix_why: report.postfix_why,
        findings: report.findings.iter().map(|(sources, it)| item(sources, it)).collect(),
        not_shown: NotShown {
            allowed: report.not_shown.allowed,
            in_baseline: report.not_shown.in_baseline,
            gone_from_baseline: report.not_shown.gone_from_baseline,
        },
        not_checked: report
            .not_checked
            .iter()
            .map(|it| NotChecked { what: &it.what, why: &it.why })
            .collect(),
        summary: Summary {
            error: report.count(Severity::Error),
            warning: report.count(Severity::Warning),
            advice: report.count(Severity::Advice),
        },
    };
    pretty(&lint)
}

/// JSON for people too, with a final newline.
pub(super) fn pretty(value: &impl Serialize) -> String {
    // Only maps with keys that are no text cannot be written; there are none.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

fn item<'a>(sources: &'a Sources, finding: &'a Finding) -> Item<'a> {
    Item {
        rule: finding.rule,
        severity: finding.severity.name(),
        message: finding.message(),
        place: place(sources, finding.primary.span),
        related: finding
            .related
            .iter()
            .map(|it| Related { place: place(sources, it.span), message: &it.text })
            .collect(),
        help: finding.help.as_deref(),
        fix: finding.fix.as_ref().map(|fix| Fix {
            safety: match fix.safety {
                Safety::Safe => "safe",
                Safety::Unsafe => "unsafe",
            },
            title: &fix.title,
        }),
    }
}

fn place(sources: &Sources, span: Span) -> Place<'_> {
    let source = sources.of(span);
    let (line, column) = source.line_column(span.start);
    let (end_line, end_column) = source.line_column(span.end);
    Place {
        file: source.name(),
        line: line.number(),
        column,
        end_line: end_line.number(),
        end_column,
    }
}
