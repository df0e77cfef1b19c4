//! What a change means: destination by destination, and for all that no row speaks of.
//!
//! What counts for mail is not a row but what the client makes of it: a row that goes away lets the
//! parent domain's row count or main.cf's level, and another value in main.cf changes rows that stay
//! as they are.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::asker::{Asker, Asking};
use super::shift::{Shift, Trend};
use crate::config::Configuration;
use crate::policy::same;
use crate::syntax::indexed::{Beside, Indexed};
use crate::syntax::lists;
use crate::text::Sources;

/// A main.cf parameter before and after; `None`: not set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "parameter")]
pub struct ParameterChange {
    /// Its name.
    pub name: String,
    /// Its value now; null where main.cf does not set it.
    pub old: Option<String>,
    /// Its value afterwards; null where main.cf will not set it.
    pub new: Option<String>,
}

/// The policy for one destination before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "policy")]
pub struct PolicyChange {
    /// The next-hop destination, as the table's key.
    pub destination: String,
    /// Its row now, the words separated by one blank; null where there is none.
    pub old: Option<String>,
    /// Its row afterwards; null where there is none. As it is written now, if it says the same.
    pub new: Option<String>,
    /// What that changes for mail.
    pub shift: Shift,
    /// Whether a row would be lost that postls did not write and the policy file does not have.
    pub foreign: bool,
    /// Who answers for it, as the policy file says, where something is given up.
    pub owner: Option<String>,
    /// Why it is so, as the policy file says, where something is given up.
    pub reason: Option<String>,
}

impl PolicyChange {
    /// Whether its row goes away.
    pub(super) fn drops_row(&self) -> bool {
        self.old.is_some() && self.new.is_none()
    }

    /// Whether its row says the same as before, and only main.cf makes another policy of it.
    pub(super) fn row_stays(&self) -> bool {
        let rows = self.old.as_deref().zip(self.new.as_deref());
        rows.is_some_and(|(old, new)| same(old.as_bytes(), new.as_bytes()))
    }
}

/// Marks the rows that would be lost and that postls did not write: they are not in the table as it
/// left it.
pub(super) fn mark_foreign(changes: &mut [PolicyChange], written: &[u8]) {
    let ours = Indexed::of(written, true);
    for change in changes.iter_mut().filter(|it| it.drops_row()) {
        change.foreign |= ours.get(change.destination.as_bytes()).is_none();
    }
}

/// The words of a right-hand side with one blank between them.
pub(super) fn one_line(value: &[u8]) -> String {
    let words = lists::words(value, lists::COMMA_SPACE);
    words.map(|it| String::from_utf8_lossy(&value[it])).collect::<Vec<_>>().join(" ")
}

/// What is compared.
pub(super) struct States<'a> {
    /// The table's source now.
    pub(super) table: &'a [u8],
    /// The table's source afterwards.
    pub(super) new_table: &'a [u8],
    /// main.cf afterwards.
    pub(super) new_main_cf: &'a [u8],
}

/// What becomes of each destination, sorted by key, and of all that no row speaks of; those are left
/// out for which nothing changes.
pub(super) fn of(asking: &Asking<'_>, states: &States<'_>) -> (Vec<PolicyChange>, Option<Shift>) {
    let same_main_cf = states.new_main_cf == asking.configuration.bytes();
    if same_main_cf && states.table == states.new_table {
        return (Vec::new(), None);
    }
    let mut sources = Sources::default();
    let source = sources.add("main.cf", states.new_main_cf.to_vec());
    let environment = asking.configuration.environment.clone();
    let configuration = Configuration::new(&sources, source, environment);
    let is_it = |text: &str| {
        let name = text.split_once(':').map_or(text, |it| it.1);
        asking.table_names.iter().any(|it| it == name)
    };
    let beside = asking.beside.iter().filter(|it| !is_it(&it.0));
    let beside: Vec<(&str, Indexed<'_>)> =
        beside.map(|(name, bytes)| (name.as_str(), Indexed::of(bytes, true))).collect();
    let (old, new) = (Indexed::of(states.table, true), Indexed::of(states.new_table, true));
    let before = Asker::all(asking, asking.configuration, &old, &beside);
    let after = Asker::all(asking, &configuration, &new, &beside);
    let pairs = before.into_iter().zip(after);
    let mut pairs: Vec<Pair<'_>> = pairs.map(|(before, after)| Pair { before, after }).collect();
    if pairs.iter().any(Pair::is_concerned) {
        pairs.retain(Pair::is_concerned);
    }
    let is_own = super::is_ours(states.table);
    let mut comparison =
        Comparison { old: &old, new: &new, is_own, pairs: &pairs, known: HashMap::default() };
    let nobody = Beside { key: b"", old: None, new: None };
    let others = comparison.shift(&nobody);
    (comparison.policies(), Some(others).filter(|it| !it.is_nothing()))
}

/// A client before and after.
struct Pair<'r> {
    before: Asker<'r>,
    after: Asker<'r>,
}

impl Pair<'_> {
    /// Whether it asks the table.
    fn is_concerned(&self) -> bool {
        self.before.asks_it || self.after.asks_it
    }

    /// Whether only rows can make a difference to it.
    fn is_same(&self) -> bool {
        self.before.client == self.after.client && self.before.asks_it == self.after.asks_it
    }

    fn shift(&self, destination: &[u8]) -> Shift {
        let (before, after) = (self.before.policy(destination), self.after.policy(destination));
        Shift::between((&self.before.client, &before), (&self.after.client, &after))
    }
}

struct Comparison<'c> {
    old: &'c Indexed<'c>,
    new: &'c Indexed<'c>,
    /// Whether postls wrote the old one.
    is_own: bool,
    /// Never empty.
    pairs: &'c [Pair<'c>],
    /// What was found out of two rows: many destinations have the same ones.
    known: HashMap<(&'c [u8], &'c [u8]), Shift, RandomState>,
}

impl<'c> Comparison<'c> {
    fn policies(&mut self) -> Vec<PolicyChange> {
        let (old, new) = (self.old, self.new);
        let only_rows_count = self.pairs.iter().all(Pair::is_same);
        old.beside(new).filter_map(|it| self.change(&it, only_rows_count)).collect()
    }

    fn change(&mut self, rows: &Beside<'c>, only_rows_count: bool) -> Option<PolicyChange> {
        if rows.old == rows.new && only_rows_count {
            return None;
        }
        let (old, new) = (rows.old.map(one_line), rows.new.map(one_line));
        let lines = old.as_deref().zip(new.as_deref());
        let stays = lines.is_some_and(|(old, new)| same(old.as_bytes(), new.as_bytes()));
        if stays && only_rows_count {
            return None;
        }
        // Where nothing else changes, the table keeps it as it is written.
        let new = if stays { old.clone() } else { new };
        let mut shift = self.shift(rows);
        if stays && shift.is_nothing() {
            return None;
        }
        shift.trend = match (&old, &new, shift.trend) {
            (None, Some(_), Trend::Raised | Trend::Pins | Trend::Changed) => Trend::Added,
            (Some(_), None, Trend::Raised | Trend::Pins | Trend::Changed) => Trend::Removed,
            (_, _, trend) => trend,
        };
        let foreign = !self.is_own && old.is_some() && new.is_none();
        let destination = String::from_utf8_lossy(rows.key).into_owned();
        Some(PolicyChange { destination, old, new, shift, foreign, owner: None, reason: None })
    }

    /// Of clients with settings of their own, the one that gives something up says it for all.
    fn shift(&mut self, of: &Beside<'c>) -> Shift {
        // Where the rows alone decide, and not the form of the destination too.
        let rows = of.old.zip(of.new).filter(|_| {
            of.key.is_ascii()
                && !of.key.contains(&b'/')
                && self.pairs.iter().all(|it| it.before.asks_it_alone() && it.after.asks_it_alone())
        });
        if let Some(known) = rows.and_then(|it| self.known.get(&it)) {
            return known.clone();
        }
        let mut all = self.pairs.iter().map(|it| it.shift(of.key));
        let mut shift = all.next().unwrap_or_else(Shift::none);
        for other in all {
            let says_more = other.gives_up() || shift.is_nothing();
            if says_more && !shift.gives_up() {
                shift = other;
            }
        }
        if let Some(rows) = rows {
            self.known.insert(rows, shift.clone());
        }
        shift
    }
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn words_have_one_blank_between_them() {
        assert_eq!(one_line(b"MAY,\n  ciphers=high"), "MAY ciphers=high");
    }
}
