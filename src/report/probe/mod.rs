//! What `postls probe` saw of destinations, and what that means: as text, and as data for the other forms.
//!
//! What servers and domains say is not trusted. Wherever a person reads it, control characters are taken out
//! and long texts are cut.

mod details;
mod human;

use super::human::printable;
use super::query::{Answered, shown_place};
use super::{Style, probe_json};
use crate::observation::Observation;
use crate::policy::Date;
use crate::policy::outcome::Outcome;
use crate::postfix::{Digest, Version};
use crate::text::Sources;
use crate::verdict::{Judgement, Verdict};

pub(super) use details::{Fact, of_destination, of_server, of_session, tested};

/// The longest text of others that is shown to people.
const MAX_TEXT: usize = 240;
/// The longest name.
pub(super) const MAX_NAME: usize = 80;

/// A run of the probe.
pub struct Report<'a> {
    /// The bytes of all files.
    pub sources: &'a Sources,
    /// The service whose mail it is about.
    pub service: &'a str,
    /// The Postfix that the files were judged for.
    pub postfix: Version,
    /// Why that one.
    pub postfix_why: &'a str,
    /// The name of this host, as Postfix has it (myhostname).
    pub host: &'a str,
    /// When it began, in seconds since 1970-01-01 UTC.
    pub began: u64,
    /// When it ended.
    pub ended: u64,
    /// The destinations, in the order of the questions.
    pub probed: &'a [Probed],
    /// What was not looked at, and why.
    pub not_checked: &'a [(String, String)],
}

/// One destination.
pub struct Probed {
    /// The policy that Postfix has for it.
    pub answered: Answered,
    /// What was seen.
    pub observation: Observation,
    /// What that means.
    pub judgement: Judgement,
    /// Whether the policy is in force.
    pub testing: Testing,
}

/// Whether a policy is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Testing {
    /// Postfix has it.
    InForce,
    /// `testing: true` in the policy file: judged as if it were, and never a failure.
    Testing,
}

/// Whether a destination is as its policy asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meets {
    /// Mail goes out, as the policy asks.
    Yes,
    /// It waits, or goes out otherwise.
    No,
    /// Nobody could see it.
    NotSeen,
}

/// How much people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// A line for each destination, and what is wrong.
    Brief,
    /// Each address, and everything that was looked at.
    Full,
}

impl Probed {
    /// Whether the destination is as its policy asks, in force or not.
    pub fn meets(&self) -> Meets {
        match (self.judgement.verdict, self.answered.policy.outcome) {
            (Verdict::Unknown, _) => Meets::NotSeen,
            (Verdict::WouldDefer, _) | (Verdict::Plaintext, Outcome::Enforced) => Meets::No,
            (Verdict::Verified | Verdict::Trusted | Verdict::Encrypted | Verdict::Plaintext, _) => {
                Meets::Yes
            }
        }
    }

    /// Whether it makes the run fail: a policy that is in force is not met.
    pub fn fails(&self) -> bool {
        match self.testing {
            Testing::InForce => self.meets() == Meets::No,
            Testing::Testing => false,
        }
    }

    /// The destination as it is shown.
    pub(super) fn name(&self) -> String {
        name(&self.answered.destination)
    }

    /// The level's name; where there is none, what is so.
    pub(super) fn level(&self) -> String {
        let level = self.answered.policy.level.as_ref();
        level.map_or_else(|| "no level".to_owned(), |it| it.value.to_string())
    }

    /// The place of what decides: the row that counts, or what chose the level.
    pub(super) fn decided_by(&self, sources: &Sources) -> String {
        match &self.answered.matched {
            Some(row) => match row.span {
                Some(span) => {
                    let source = sources.of(span);
                    name(&format!(
                        "{}:{}",
                        source.name(),
                        source.line_column(span.start).0.number()
                    ))
                }
                None => name(&format!("{} in {}", row.key, row.table)),
            },
            None => {
                let from = self.answered.from.iter().find(|it| it.0 == "level");
                from.map(|it| name(&shown_place(sources, &it.1))).unwrap_or_default()
            }
        }
    }

    /// The digest that its pins are made with; sha256 where that is none that postls knows.
    pub(super) fn digest(&self) -> Digest {
        Digest::parse(self.answered.policy.digest.value.as_bytes()).unwrap_or(Digest::Sha256)
    }

    /// Why the verdict is so, with the reason's id.
    pub(super) fn reason(&self) -> String {
        let why = &self.judgement.why;
        format!("{}: {}", why.reason.id(), plain(&why.text))
    }
}

impl Report<'_> {
    /// How many destinations have a verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.probed.iter().filter(|it| it.judgement.verdict == verdict).count()
    }

    /// Whether a policy that is in force is not met.
    pub fn fails(&self) -> bool {
        self.probed.iter().any(Probed::fails)
    }

    /// The whole days from 1970-01-01 UTC to the run.
    pub(super) fn today(&self) -> u64 {
        self.ended / Date::SECONDS.unsigned_abs()
    }
}

/// For programs. The form is a promise: fields are added, never changed.
pub fn json(report: &Report<'_>) -> String {
    probe_json::probe(report)
}

/// For people.
pub fn human(report: &Report<'_>, style: Style, detail: Detail) -> String {
    human::probe(report, style, detail)
}

/// The verdict as people read it.
pub(super) fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Verified => "verified",
        Verdict::Trusted => "trusted",
        Verdict::Encrypted => "encrypted",
        Verdict::Plaintext => "plaintext",
        Verdict::WouldDefer => "would defer",
        Verdict::Unknown => "unknown",
    }
}

/// A second as ISO 8601 has it, such as 2026-11-30T08:15:00Z; `None` where the year has not four digits.
pub(super) fn moment(seconds: i64) -> Option<String> {
    let date = Date::of_second(seconds)?;
    let second = seconds.rem_euclid(Date::SECONDS);
    Some(format!("{date}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60))
}

/// A second that no clock of ours is behind.
pub(super) fn signed(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

/// A text of others, for people.
pub(super) fn plain(text: &str) -> String {
    cut(text, MAX_TEXT)
}

/// A name of others, for people.
pub(super) fn name(text: &str) -> String {
    cut(text, MAX_NAME)
}

/// On one line, of at most so many characters, without what terminals and browsers obey.
pub(super) fn cut(text: &str, most: usize) -> String {
    let mut short: String =
        text.chars().take(most).map(|it| if is_break(it) { ' ' } else { it }).collect();
    if text.chars().nth(most).is_some() {
        short.push('…');
    }
    printable(&short)
}

/// What ends a line, for one reader or another.
fn is_break(it: char) -> bool {
    matches!(it, '\n' | '\r' | '\t' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::{cut, moment};

    #[test]
    fn seconds_have_a_time() {
        assert_eq!(moment(0).as_deref(), Some("1970-01-01T00:00:00Z"));
        assert_eq!(moment(1_796_073_983).as_deref(), Some("2026-11-30T21:26:23Z"));
        assert_eq!(moment(-1), None);
        assert_eq!(moment(i64::MAX), None);
    }

    #[test]
    fn texts_of_others_are_one_short_line() {
        assert_eq!(cut("a\r\nb\u{2028}c\u{1b}[0m", 20), "a  b c?[0m");
        assert_eq!(cut(&"ü".repeat(9), 8), "ü".repeat(8) + "…");
        assert_eq!(cut("\u{202e}x", 8), "?x");
    }
}
