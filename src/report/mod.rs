//! What is printed. Nothing is computed here: a report shows what others found.

pub mod certificate;
pub mod failure;
pub mod fingerprint;
mod fingerprint_json;
mod github;
mod gitlab;
pub mod history;
pub mod human;
mod json;
pub mod nagios;
pub mod pin;
mod pin_json;
mod place;
pub mod plan;
mod plan_json;
pub mod postconf;
pub mod probe;
pub mod probe_html;
mod probe_json;
pub mod prometheus;
pub mod publish;
mod publish_json;
pub mod query;
mod query_json;
mod sarif;
pub mod schema;
mod short;

pub use place::Root;

use crate::finding::{Finding, NotChecked, Severity};
use crate::lint::Rule;
use crate::postfix::Version;
use crate::text::Sources;

/// The forms that lint's report has. One is a file here and a line in this list.
pub const FORMATS: &[Format] = &[
    Format { name: "human", about: "Excerpts with marks", lint: human::lint },
    Format { name: "short", about: "One line for each finding", lint: short::lint },
    Format { name: "json", about: "One JSON object", lint: json::lint },
    Format { name: "sarif", about: "SARIF 2.1.0, for code scanning", lint: sarif::lint },
    Format { name: "github", about: "Annotations of GitHub Actions", lint: github::lint },
    Format { name: "gitlab", about: "A code quality report of GitLab", lint: gitlab::lint },
];

/// A form of lint's report.
pub struct Format {
    /// The word for it.
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    /// Writes it.
    pub lint: fn(&Report<'_>, Style) -> String,
}

/// What lint has to say.
pub struct Report<'a> {
    /// In the order of the files, each with those that it points into.
    pub findings: Vec<(&'a Sources, &'a Finding)>,
    /// How many others there are.
    pub not_shown: NotShown,
    /// What was not looked at.
    pub not_checked: &'a [NotChecked],
    /// The Postfix that the files were judged for.
    pub postfix: Version,
    /// Why that one.
    pub postfix_why: &'a str,
    /// The rules that were asked, with their topics.
    pub rules: Vec<(&'static str, &'static Rule)>,
    /// From where those who show a repository count paths.
    pub root: Root,
}

/// Findings that are not shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct NotShown {
    /// Somebody allows them.
    pub allowed: usize,
    /// They were there when the baseline was written.
    pub in_baseline: usize,
    /// The baseline has them, and they are not found any more.
    pub gone_from_baseline: usize,
}

/// How a terminal or a file is written to.
#[derive(Clone, Copy, Debug)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is by itself what a terminal can or is asked"
)]
pub struct Style {
    /// Colours.
    pub color: bool,
    /// Lines and arrows that are not ASCII.
    pub unicode: bool,
    /// Links from the ids of rules to their pages.
    pub links: bool,
    /// Findings only, no closing lines.
    pub quiet: bool,
}

impl Report<'_> {
    /// How many findings have this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|(_, it)| it.severity == severity).count()
    }
}
