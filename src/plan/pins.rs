//! How the pins of a table's rows differ from those of the policy file, whatever is in force.

use super::meaning::one_line;
use crate::policy::{compile, row};
use crate::postfix::{Fingerprint, SecurityLevel};
use crate::syntax::indexed::Indexed;

/// The pins of one row that change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinChange {
    /// The key.
    pub destination: String,
    /// The fingerprints that the table does not have yet.
    pub added: Vec<String>,
    /// Those that it still has.
    pub removed: Vec<String>,
}

/// Of a table's source and the rows that are to stand in it, sorted by key.
pub fn changes_of_pins(live: &[u8], rows: &[compile::Row]) -> Vec<PinChange> {
    let live = Indexed::of(live, true);
    let change = |row: &compile::Row| {
        let old = live.get(row.nexthop.as_str().as_bytes()).map(one_line).unwrap_or_default();
        let (before, after) = (pins(&old), pins(&row.policy));
        let but = |all: &[String], others: &[String]| -> Vec<String> {
            all.iter().filter(|it| !others.contains(it)).cloned().collect()
        };
        let (added, removed) = (but(&after, &before), but(&before, &after));
        let changes = !(added.is_empty() && removed.is_empty());
        changes.then(|| PinChange { destination: row.nexthop.to_string(), added, removed })
    };
    let mut changes: Vec<PinChange> =
        rows.iter().filter(|it| !it.testing).filter_map(change).collect();
    changes.sort_by(|a, b| a.destination.cmp(&b.destination));
    changes
}

/// The fingerprints of a policy in one form, so that writing them otherwise is no change.
fn pins(policy: &str) -> Vec<String> {
    let row = row::parse(policy.as_bytes());
    if row.security_level() != Some(SecurityLevel::Fingerprint) {
        return Vec::new();
    }
    let items = row.values("match").flat_map(|range| policy[range].split('|').collect::<Vec<_>>());
    items.filter_map(|it| Fingerprint::parse(it.as_bytes())).map(|it| it.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::pins;

    #[test]
    fn pins_have_one_form() {
        assert_eq!(pins("fingerprint match=ad|ae match=AF"), ["AD", "AE", "AF"]);
        assert_eq!(pins("secure match=ad"), [] as [&str; 0]);
    }
}
