//! Findings for programs. The form is a promise: fields are added, never changed.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Report, Style};
use crate::finding::{self, Finding};
use crate::text::{Sources, Span};

/// What `postls lint --format json` prints: findings about a Postfix configuration, in the order
/// of the files.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "postls lint")]
pub(super) struct Lint<'a> {
    /// The name of this form. Fields may be added to it; none is changed or taken away.
    #[schemars(extend("const" = "postls/lint/v1"))]
    schema: &'static str,
    /// The version of Postfix that the files were judged for, such as 3.7.
    postfix: String,
    /// Why that version: "the one installed here", "--postfix", "the policy file", …
    postfix_why: &'a str,
    /// What was found.
    findings: Vec<Item<'a>>,
    /// How many findings are not shown, and why.
    not_shown: NotShown,
    /// What was not looked at. Silence about it does not mean health.
    not_checked: Vec<NotChecked<'a>>,
    /// How many findings there are of each severity.
    summary: Summary,
}

/// One thing that is wrong at one place.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "finding")]
struct Item<'a> {
    /// The id of the rule that found it; `postls explain` prints its page.
    rule: &'a str,
    /// How Postfix takes it.
    severity: Severity,
    /// What is so, in one sentence.
    message: String,
    #[serde(flatten)]
    place: Place<'a>,
    /// Other places that belong to it.
    related: Vec<Related<'a>>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    help: Option<&'a str>,
    /// How postls could do it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Fix")]
    fix: Option<Fix<'a>>,
}

/// How Postfix takes what was found.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "severity")]
pub(super) enum Severity {
    /// Postfix refuses, ignores or defers because of what the line says.
    Error,
    /// Postfix does what the line says, and that is weak or will bite.
    Warning,
    /// Tidiness; nothing breaks.
    Advice,
}

/// A place. Lines and columns count from 1, columns in bytes; the end is behind the last byte.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "place")]
struct Place<'a> {
    /// The file: relative to the configuration directory if it stands in it.
    file: &'a str,
    /// The line of the first byte, from 1.
    #[schemars(range(min = 1))]
    line: u32,
    /// The column of the first byte, from 1, in bytes.
    #[schemars(range(min = 1))]
    column: u32,
    /// The line of the end, from 1.
    #[schemars(range(min = 1))]
    end_line: u32,
    /// The column behind the last byte, from 1, in bytes.
    #[schemars(range(min = 1))]
    end_column: u32,
}

/// Another place that belongs to a finding.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "related")]
struct Related<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    /// What is so there.
    message: &'a str,
}

/// A change that removes the finding.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "fix")]
struct Fix<'a> {
    /// Whether mail flows as before.
    safety: Safety,
    /// What it does, as an order: "move the comment to its own line".
    title: &'a str,
}

/// Who decides whether a fix is made.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "safety")]
enum Safety {
    /// Postfix does what the line was meant to do; mail flows as it should.
    Safe,
    /// Mail may flow differently: a person decides.
    Unsafe,
}

/// Findings that are not shown.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "not-shown")]
struct NotShown {
    /// Somebody allows them.
    allowed: usize,
    /// They were there when the baseline was written.
    in_baseline: usize,
    /// The baseline has them, and they are not found any more.
    gone_from_baseline: usize,
}

/// Something that was not looked at.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "not-checked")]
struct NotChecked<'a> {
    /// A file, a table, a parameter.
    what: &'a str,
    /// The reason.
    why: &'a str,
}

/// How many findings there are of each severity.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "summary")]
struct Summary {
    /// Errors.
    error: usize,
    /// Warnings.
    warning: usize,
    /// Advice.
    advice: usize,
}

/// The report as one JSON object.
pub(super) fn lint(report: &Report<'_>, _: Style) -> String {
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
            error: report.count(finding::Severity::Error),
            warning: report.count(finding::Severity::Warning),
            advice: report.count(finding::Severity::Advice),
        },
    };
    pretty(&lint)
}

/// JSON for people too, with a final newline.
pub(super) fn pretty(value: &impl Serialize) -> String {
    // Only maps with keys that are no text cannot be written; there are none.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

/// The word for a severity.
pub(super) fn severity(severity: finding::Severity) -> Severity {
    match severity {
        finding::Severity::Error => Severity::Error,
        finding::Severity::Warning => Severity::Warning,
        finding::Severity::Advice => Severity::Advice,
    }
}

fn item<'a>(sources: &'a Sources, finding: &'a Finding) -> Item<'a> {
    Item {
        rule: finding.rule,
        severity: severity(finding.severity),
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
                finding::Safety::Safe => Safety::Safe,
                finding::Safety::Unsafe => Safety::Unsafe,
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
