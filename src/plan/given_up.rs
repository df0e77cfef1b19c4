//! What a plan gives up, and how much changes at all.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Downgrade, Plan, PolicyChange, Shift, Trend};
use crate::policy::{Destination, Policies};
use crate::postfix::{Digest, SecurityLevel};

/// How many destinations change in each way; all those together that no row speaks of are one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "plan-summary")]
pub struct Summary {
    /// More is asked.
    pub raised: usize,
    /// Less is asked.
    pub lowered: usize,
    /// New rows that ask for no less than what held before.
    pub added: usize,
    /// Rows that go away, where what holds then asks for no less.
    pub removed: usize,
    /// Other pins.
    pub pins_changed: usize,
    /// Anything else.
    pub changed: usize,
    /// Fingerprints that count and did not.
    pub pins_added: usize,
    /// Fingerprints that counted, and do not any more in any digest.
    pub pins_removed: usize,
}

/// A destination for which something is given up that held before.
#[derive(Clone, Copy, Debug)]
pub struct GivenUp<'p> {
    /// Its row; `None`: all destinations that no row speaks of.
    pub policy: Option<&'p PolicyChange>,
    /// What changes.
    pub shift: &'p Shift,
}

impl Plan {
    /// What asks for less afterwards, or loses a pin.
    pub fn given_up(&self) -> impl Iterator<Item = GivenUp<'_>> {
        let others = self.others.iter().map(|shift| GivenUp { policy: None, shift });
        let of_rows = self.policies.iter().map(|it| GivenUp { policy: Some(it), shift: &it.shift });
        others.chain(of_rows).filter(|it| it.shift.gives_up())
    }

    /// How much changes.
    pub fn summary(&self) -> Summary {
        let mut sum = Summary::default();
        for shift in self.others.iter().chain(self.policies.iter().map(|it| &it.shift)) {
            let count = match shift.trend {
                Trend::Added => &mut sum.added,
                Trend::Removed => &mut sum.removed,
                Trend::Raised => &mut sum.raised,
                Trend::Lowered => &mut sum.lowered,
                Trend::Pins => &mut sum.pins_changed,
                Trend::Changed => &mut sum.changed,
            };
            *count += 1;
            sum.pins_added += shift.pins_added.len();
            sum.pins_removed += shift.pins_lost.len();
        }
        sum
    }
}

impl GivenUp<'_> {
    /// The key of its row.
    pub fn destination(&self) -> Option<&str> {
        self.policy.map(|it| it.destination.as_str())
    }

    /// What held before, in words.
    pub fn from(&self) -> String {
        words(self.policy.and_then(|it| it.old.as_ref()), self.shift.before)
    }

    /// What holds afterwards, in words.
    pub fn to(&self) -> String {
        words(self.policy.and_then(|it| it.new.as_ref()), self.shift.after)
    }

    /// What is kept of it.
    pub fn kept(&self) -> Downgrade {
        Downgrade {
            destination: self.destination().map(str::to_owned),
            from: self.from(),
            to: self.to(),
            pins_removed: self.shift.pins_lost.clone(),
            owner: self.policy.and_then(|it| it.owner.clone()),
            reason: self.policy.and_then(|it| it.reason.clone()),
        }
    }
}

/// A row, or the level that holds without one.
fn words(row: Option<&String>, level: Option<SecurityLevel>) -> String {
    let by_main_cf = || level.map_or_else(|| "unknown".to_owned(), |it| it.name().to_owned());
    row.cloned().unwrap_or_else(by_main_cf)
}

/// Says of what is given up why it is, as the policy file has it. A pin whose fingerprint is gone
/// and that stays by one in the digest in force is not lost.
pub(super) fn explain(changes: &mut [PolicyChange], policies: &Policies, digest: Option<Digest>) {
    let mut concerned = changes.iter_mut().filter(|it| it.shift.gives_up()).peekable();
    if concerned.peek().is_none() {
        return;
    }
    let all = policies.destinations.iter().map(|it| (it.nexthop.value.as_str(), it));
    let by_key: HashMap<&str, &Destination, RandomState> = all.collect();
    for change in concerned {
        let Some(destination) = by_key.get(change.destination.as_str()) else { continue };
        change.shift.pins_lost.retain(|it| !stays(it, destination, digest));
        change.owner.clone_from(&destination.owner);
        change.reason.clone_from(&destination.reason);
    }
}

fn stays(fingerprint: &str, destination: &Destination, digest: Option<Digest>) -> bool {
    let level = destination.policy.level.map(|it| it.value);
    let mut pins = destination.policy.pins.iter().flat_map(|it| it.iter());
    level == Some(SecurityLevel::Fingerprint)
        && !destination.testing
        && pins.any(|it| {
            it.in_force(digest).is_some()
                && it.fingerprints().any(|it| it.to_string() == fingerprint)
        })
}
