//! What a rule is.

use super::{Context, Findings};
use crate::finding::Severity;

/// One thing that can be wrong, and everything known about it.
pub struct Rule {
    /// Says what is wrong, in kebab case; also the file's name.
    pub id: &'static str,
    /// The severity of its findings, unless one says that it is milder.
    pub severity: Severity,
    /// What is so, in one line.
    pub summary: &'static str,
    /// The page: what Postfix does and what to do about it. Markdown.
    pub doc: &'static str,
    /// A part of what Postfix itself says about the bad example, in its log or
    /// on standard error. A rule that is an error has one, and a test compares
    /// it with real ones; empty where Postfix never sees the file. Where versions
    /// differ, a line for each wording: the newest version says the first.
    pub postfix_says: &'static str,
    /// Whether findings carry a fix.
    pub fix: FixKind,
    /// An example with marks: `#   ^^^^ text` under a line marks what stands above.
    pub bad: &'static str,
    /// The near miss: what a sloppy version of the rule would find.
    pub good: &'static str,
    /// Looks at the files and says what it finds.
    pub check: fn(&Context<'_>, &mut Findings),
}

/// Whether a rule's findings carry a fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FixKind {
    /// None does.
    Never,
    /// Some do.
    Sometimes,
    /// All do.
    Always,
}
