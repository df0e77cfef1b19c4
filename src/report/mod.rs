//! What is printed. Nothing is computed here: a report shows what others found.

pub mod human;
pub mod json;
pub mod plan;
pub mod postconf;
pub mod query;
pub mod short;

use crate::finding::{Finding, NotChecked, Severity};
use crate::postfix::Version;
use crate::text::Sources;

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
pub struct Style {
    /// Colours.
    pub color: bool,
    /// Lines and arrows that are not ASCII.
    pub unicode: bool,
    /// Findings only, no closing lines.
    pub quiet: bool,
}

impl Report<'_> {
    /// How many findings have this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|(_, it)| it.severity == severity).count()
    }
}
