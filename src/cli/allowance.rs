//! `--allow-downgrade` and `--reason`: nothing is given up that nobody meant to.

use std::collections::BTreeSet;

use clap::Args;

use super::{Stop, complain};
use crate::plan::{GivenUp, Note, Plan};
use crate::text::{fold, nearest, shortened};

/// The word for every destination.
const ALL: &str = "all";
/// The word for all those that no row speaks of.
const DEFAULT: &str = "default";

/// So many are named in a message.
const MAX_NAMED: usize = 20;

/// What the user allows, and why.
#[derive(Args)]
pub(super) struct Allowance {
    /// Let a destination's policy ask for less, or lose a pin; `default` means all that have no row,
    /// `all` everything. May be given several times
    #[arg(long, value_name = "DEST", value_delimiter = ',')]
    allow_downgrade: Vec<String>,
    /// Why it is done, for `history`
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Allowance {
    /// Refuses a plan that gives something up which is not allowed. `known`: the destinations of the
    /// policy file, if it [names any](Allowance::names_destinations); names that occur nowhere are
    /// warned of. A plan in a file does not say which destinations stay as they are: `None`.
    pub(super) fn check(&self, plan: &Plan, known: Option<&[String]>) -> Result<(), Stop> {
        let names = known.unwrap_or_default().iter().map(String::as_str);
        let changing = plan.policies.iter().map(|it| it.destination.as_str());
        let names: BTreeSet<&str> = names.chain(changing).collect();
        let can_be_told = known.is_some();
        for word in self.words().filter(|it| is_destination(it)) {
            if can_be_told && !names.contains(word.as_str()) {
                let help = nearest(&word, names.iter().copied());
                let help = help.map(|it| format!("; did you mean \"{it}\"?")).unwrap_or_default();
                let word = shortened(&word);
                complain(&format!("--allow-downgrade {word}: there is no such destination{help}"));
            }
        }
        let refused: Vec<GivenUp<'_>> = plan.given_up().filter(|it| !self.allows(it)).collect();
        if refused.is_empty() {
            return Ok(());
        }
        // What is allowed already is to be allowed again.
        let is_known = |it: &String| *it == DEFAULT || names.contains(it.as_str());
        let already: Vec<String> = self.words().filter(|it| !can_be_told || is_known(it)).collect();
        let line = options(&refused, &already);
        Err(Stop(format!("{}\n{line}\nnothing was changed", named(&refused))))
    }

    /// Whether it names something else than `all` or `default`.
    pub(super) fn names_destinations(&self) -> bool {
        self.words().any(|it| is_destination(&it))
    }

    /// What is kept of a plan that was not refused.
    pub(super) fn note(&self, plan: &Plan) -> Note {
        let downgrades = plan.given_up().map(|it| it.kept()).collect();
        Note { downgrades, reason: self.reason.clone() }
    }

    fn allows(&self, given_up: &GivenUp<'_>) -> bool {
        let wanted = given_up.destination().unwrap_or(DEFAULT);
        // A host with such a name is not what the words mean.
        let is_word = given_up.policy.is_some() && [ALL, DEFAULT].contains(&wanted);
        self.words().any(|it| it == ALL || (it == wanted && !is_word))
    }

    /// The words as keys are written in tables.
    fn words(&self) -> impl Iterator<Item = String> {
        let folded = |it: &str| String::from_utf8_lossy(&fold(it.as_bytes())).into_owned();
        let words = self.allow_downgrade.iter().map(move |it| folded(it.trim()));
        words.filter(|it| !it.is_empty())
    }
}

fn is_destination(word: &str) -> bool {
    ![ALL, DEFAULT].contains(&word)
}

/// What `diff` says of a plan that `apply` would refuse.
pub(super) fn wanted(plan: &Plan) -> Option<String> {
    let all: Vec<GivenUp<'_>> = plan.given_up().collect();
    (!all.is_empty()).then(|| format!("{}\n{}", named(&all), options(&all, &[])))
}

/// What is given up, a line each.
fn named(all: &[GivenUp<'_>]) -> String {
    let mut lines =
        vec!["apply does not ask for less than before unless it is allowed:".to_owned()];
    lines.extend(all.iter().take(MAX_NAMED).map(|it| format!("  {}", line(it))));
    if all.len() > MAX_NAMED {
        lines.push(format!("  … and {} more, which `postls diff` lists", all.len() - MAX_NAMED));
    }
    lines.join("\n")
}

fn line(it: &GivenUp<'_>) -> String {
    let name = it.destination().map_or_else(|| "all other destinations".to_owned(), shortened);
    let weaker: Vec<&str> = it.shift.weaker.iter().map(|it| it.name()).collect();
    let mut parts = Vec::new();
    if !weaker.is_empty() {
        let (from, to) = (shortened(&it.from()), shortened(&it.to()));
        parts.push(format!("{from} -> {to} (weaker: {})", weaker.join(", ")));
    }
    let lost = &it.shift.pins_lost;
    if let Some(first) = lost.first() {
        let more =
            if lost.len() > 1 { format!(" and {} more", lost.len() - 1) } else { String::new() };
        let first: String = first.chars().take(17).collect();
        parts.push(format!("loses pin {first}…{more}"));
    }
    let why = it.policy.and_then(|it| it.reason.as_deref()).map(shortened);
    let why = why.map(|it| format!(" ({it})")).unwrap_or_default();
    format!("{name}: {}{why}", parts.join("; "))
}

/// What to type.
fn options(all: &[GivenUp<'_>], already: &[String]) -> String {
    let words = all.iter().map(|it| it.destination().unwrap_or(DEFAULT));
    let is_word = |it: &GivenUp<'_>| {
        it.destination().is_some_and(|it| [ALL, DEFAULT].contains(&it) || it.contains(','))
    };
    let words = if all.len() > MAX_NAMED || all.iter().any(is_word) {
        ALL.to_owned()
    } else {
        already.iter().map(String::as_str).chain(words).collect::<Vec<_>>().join(",")
    };
    let plain = |it: char| it.is_ascii_alphanumeric() || ".,-_:".contains(it);
    let quoted = if words.chars().all(plain) {
        words
    } else {
        format!("'{}'", words.replace('\'', r"'\''"))
    };
    format!("allow it with --allow-downgrade {quoted} --reason TEXT")
}
