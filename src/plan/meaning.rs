//! What a change means: destination by destination.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::policy::{compile, row, same};
use crate::postfix::{Fingerprint, SecurityLevel};
use crate::syntax::lists;
use crate::syntax::table::{self, Kind};
use crate::text::fold;

/// A main.cf parameter before and after; `None`: not set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterChange {
    /// The name.
    pub name: String,
    /// The value in main.cf now.
    pub old: Option<String>,
    /// The value afterwards.
    pub new: Option<String>,
}

/// A destination's policy before and after; `None`: no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyChange {
    /// The key.
    pub destination: String,
    /// The right-hand side now, its words separated by one blank.
    pub old: Option<String>,
    /// The right-hand side afterwards.
    pub new: Option<String>,
    /// Which way it goes.
    pub trend: Trend,
    /// Pins that are new.
    pub pins_added: Vec<String>,
    /// Pins that are gone.
    pub pins_removed: Vec<String>,
    /// Whether a row would be lost that postls did not write and the policy file does not have.
    pub foreign: bool,
}

/// Which way a policy goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trend {
    /// A new row.
    Added,
    /// No row any more: the default applies.
    Removed,
    /// A level that asks for more.
    Raised,
    /// A level that asks for less.
    Lowered,
    /// The same level and other pins.
    Pins,
    /// Anything else.
    Changed,
}

/// What becomes of each destination of a table, sorted by key; those that stay are left out.
pub fn policies(live: &[u8], rows: &[compile::Row]) -> Vec<PolicyChange> {
    let own = live.starts_with(compile::MARK.as_bytes());
    let old = read(live);
    let wanted = rows.iter().filter(|row| !row.testing);
    let new: BTreeMap<&str, &str> =
        wanted.map(|row| (row.nexthop.as_str(), row.policy.as_str())).collect();
    let mut keys: Vec<&str> = old.keys().map(String::as_str).chain(new.keys().copied()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter()
        .filter_map(|key| {
            let foreign = !own && !new.contains_key(key);
            let change = change(key, old.get(key).map(String::as_str), new.get(key).copied())?;
            Some(PolicyChange { foreign, ..change })
        })
        .collect()
}

/// Marks the rows that would be lost and that postls did not write: they are not in the table as it
/// left it.
pub(super) fn mark_foreign(changes: &mut [PolicyChange], written: &[u8]) {
    let ours = read(written);
    for change in changes.iter_mut().filter(|it| it.new.is_none()) {
        change.foreign |= !ours.contains_key(&change.destination);
    }
}

/// The rows of a table: the first of each key counts, as in an index.
fn read(live: &[u8]) -> BTreeMap<String, String> {
    let mut rows = BTreeMap::new();
    for row in table::parse(live).rows.iter().filter(|row| row.kind == Kind::Entry) {
        let text = row.text(live);
        let key = String::from_utf8_lossy(&fold(text.key())).into_owned();
        rows.entry(key).or_insert_with(|| one_line(text.value()));
    }
    rows
}

/// The words of a right-hand side with one blank between them.
fn one_line(value: &[u8]) -> String {
    let words = lists::words(value, lists::COMMA_SPACE);
    words.map(|it| String::from_utf8_lossy(&value[it])).collect::<Vec<_>>().join(" ")
}

fn change(destination: &str, old: Option<&str>, new: Option<&str>) -> Option<PolicyChange> {
    if old == new || old.zip(new).is_some_and(|(old, new)| same(old.as_bytes(), new.as_bytes())) {
        return None;
    }
    let (before, after) = (pins(old), pins(new));
    let pins_added: Vec<String> = after.iter().filter(|it| !before.contains(it)).cloned().collect();
    let pins_removed: Vec<String> =
        before.iter().filter(|it| !after.contains(it)).cloned().collect();
    let trend = match (old, new) {
        (None, _) => Trend::Added,
        (_, None) => Trend::Removed,
        (Some(old), Some(new)) => match (level(old), level(new)) {
            (Some(old), Some(new)) => match old.compare(new) {
                Some(Ordering::Greater) => Trend::Raised,
                Some(Ordering::Less) => Trend::Lowered,
                Some(Ordering::Equal) if !(pins_added.is_empty() && pins_removed.is_empty()) => {
                    Trend::Pins
                }
                Some(Ordering::Equal) | None => Trend::Changed,
            },
            // A row that smtp(8) refuses lets no mail pass.
            _ => Trend::Changed,
        },
    };
    Some(PolicyChange {
        destination: destination.to_owned(),
        old: old.map(str::to_owned),
        new: new.map(str::to_owned),
        trend,
        pins_added,
        pins_removed,
        foreign: false,
    })
}

fn level(policy: &str) -> Option<SecurityLevel> {
    row::parse(policy.as_bytes()).security_level()
}

/// The fingerprints of a policy in one form, so that writing them otherwise is no change.
fn pins(policy: Option<&str>) -> Vec<String> {
    let Some(policy) = policy.filter(|it| level(it) == Some(SecurityLevel::Fingerprint)) else {
        return Vec::new();
    };
    let values = row::parse(policy.as_bytes()).values("match").collect::<Vec<_>>();
    let items = values.into_iter().flat_map(|range| policy[range].split('|'));
    items.filter_map(|it| Fingerprint::parse(it.as_bytes())).map(|it| it.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_say_which_way_they_go() {
        for (old, new, want) in [
            ("may", "encrypt", Trend::Raised),
            ("secure match=x", "encrypt", Trend::Lowered),
            ("fingerprint match=AD", "secure", Trend::Changed),
            ("encrypt", "encrypt ciphers=high", Trend::Changed),
            ("fingerprint match=AD", "fingerprint match=AE", Trend::Pins),
            ("encypt", "encrypt", Trend::Changed),
        ] {
            let got = change("x", Some(old), Some(new)).map(|it| it.trend);
            assert_eq!(got, Some(want), "{old} -> {new}");
        }
        let change =
            change("x", Some("fingerprint match=ad|ae"), Some("fingerprint match=AD match=AF"));
        let change = change.expect("it changes");
        assert_eq!(
            (change.pins_added, change.pins_removed),
            (vec!["AF".into()], vec!["AE".into()])
        );
    }

    #[test]
    fn tables_are_compared_by_what_they_mean() {
        let live = b"# old\nB.example  MAY,\n  ciphers=high\na.example encrypt\na.example may\n";
        let rows = read(live);
        let rows: Vec<(&str, &str)> =
            rows.iter().map(|(key, row)| (key.as_str(), row.as_str())).collect();
        assert_eq!(rows, [("a.example", "encrypt"), ("b.example", "MAY ciphers=high")]);
    }
}
