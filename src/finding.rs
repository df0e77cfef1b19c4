//! What a rule says, where, and what could be done about it.

use crate::text::{Edit, Span};

/// A statement about Postfix, not an opinion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Tidiness; nothing breaks.
    Advice,
    /// Postfix does what the line says, and that is weak or will bite.
    Warning,
    /// Postfix refuses, ignores or defers because of what the line says.
    Error,
}

impl Severity {
    /// The word in every output.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Advice => "advice",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// A place and what is so there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The bytes that it is about.
    pub span: Span,
    /// Lower case, no full stop.
    pub text: String,
}

/// One thing that is wrong at one place.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The id of the rule that found it.
    pub rule: &'static str,
    /// How Postfix takes it.
    pub severity: Severity,
    /// The rule's summary: what is so in general.
    pub summary: &'static str,
    /// Where to look first, and what is so there. It is not optional: a
    /// finding without a place cannot be built.
    pub primary: Label,
    /// Other places that belong to it.
    pub related: Vec<Label>,
    /// What to do about it, where the summary does not say it already.
    pub help: Option<String>,
    /// How postls could do it.
    pub fix: Option<Fix>,
}

impl Finding {
    /// One sentence for outputs that show no source.
    pub fn message(&self) -> String {
        format!("{}: {}", self.summary, self.primary.text)
    }
}

/// A change that removes a finding.
#[derive(Clone, Debug)]
pub struct Fix {
    /// Whether mail flows as before.
    pub safety: Safety,
    /// What it does, as an order: "move the comment to its own line".
    pub title: String,
    /// The change.
    pub edits: Vec<Edit>,
}

/// Who decides whether a fix is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Safety {
    /// Postfix does what the line was meant to do; mail flows as it should.
    Safe,
    /// Mail may flow differently: a person decides.
    Unsafe,
}

/// Something that was not looked at, so that silence does not look like health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotChecked {
    /// A file, a table, a parameter.
    pub what: String,
    /// Lower case, no full stop.
    pub why: String,
}
