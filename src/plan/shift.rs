//! Whether a destination's mail is protected more or less than before.
//!
//! Only what is beyond doubt is called raised or lowered. Levels have no total order: a change from
//! `fingerprint` to `secure` trusts somebody else, and is neither. One thing counts more than that
//! order: where mail had to be encrypted and now may go out in the clear, less is asked, so that
//! `encrypt` to `dane` is lowered too, and not `dane` to `encrypt`, which wins the one and loses the
//! other. `verify` and `secure` compare with the same certificates and differ by the names alone.
//!
//! A row that holds all mail by a mistake protects nothing and lets nothing pass: it is compared by
//! the level that it asks for, so that putting it right lowers nothing, and `may` in the place of a
//! broken `secure` does. Where mail is held afterwards, nothing is lowered.
//!
//! Attributes are compared at levels that insist on TLS: at `may`, a server that has only an old
//! protocol gets the mail in the clear without it, so that allowing it is no loss.

use std::cmp::Ordering;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::policy::Client;
use crate::policy::effective::EffectivePolicy;
use crate::policy::matching;
use crate::policy::outcome::Outcome;
use crate::postfix::{CipherGrade, Protocol, Protocols, SecurityLevel};

/// What changes for the mail to a destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "shift")]
pub struct Shift {
    /// The level at which mail goes out now; null: it waits, or that cannot be known.
    #[serde(serialize_with = "write_level", deserialize_with = "read_level")]
    #[schemars(with = "Option<String>")]
    pub before: Option<SecurityLevel>,
    /// The level afterwards.
    #[serde(serialize_with = "write_level", deserialize_with = "read_level")]
    #[schemars(with = "Option<String>")]
    pub after: Option<SecurityLevel>,
    /// Which way it goes.
    pub trend: Trend,
    /// What asks for less.
    pub weaker: Vec<Weaker>,
    /// Fingerprints that count and did not.
    pub pins_added: Vec<String>,
    /// Fingerprints that counted and do not any more.
    pub pins_removed: Vec<String>,
    /// Those of them that do not stay as fingerprints of the same key or certificate in another digest.
    pub pins_lost: Vec<String>,
}

/// Which way a policy goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "trend")]
pub enum Trend {
    /// A new row, which does not ask for less than what held before.
    #[serde(rename = "added")]
    Added,
    /// No row any more; what holds now does not ask for less.
    #[serde(rename = "removed")]
    Removed,
    /// It asks for more.
    #[serde(rename = "raised")]
    Raised,
    /// It asks for less.
    #[serde(rename = "lowered")]
    Lowered,
    /// It asks for other pins.
    #[serde(rename = "pins changed")]
    Pins,
    /// Anything else.
    #[serde(rename = "changed")]
    Changed,
}

/// A part of a policy that asks for less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "weaker")]
pub enum Weaker {
    /// The security level.
    Level,
    /// The oldest protocol is an older one.
    Protocols,
    /// A lower cipher grade.
    Ciphers,
    /// More names of certificates are taken.
    Names,
}

impl Weaker {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Weaker::Level => "level",
            Weaker::Protocols => "protocols",
            Weaker::Ciphers => "ciphers",
            Weaker::Names => "names",
        }
    }
}

impl Shift {
    /// Whether something is given up that held before.
    pub fn gives_up(&self) -> bool {
        self.trend == Trend::Lowered || !self.pins_lost.is_empty()
    }

    /// Whether nothing changes that is compared.
    pub(super) fn is_nothing(&self) -> bool {
        self.trend == Trend::Changed && self.before == self.after
    }

    /// Where there is nobody to ask.
    pub(super) fn none() -> Shift {
        Shift {
            before: None,
            after: None,
            trend: Trend::Changed,
            weaker: Vec::new(),
            pins_added: Vec::new(),
            pins_removed: Vec::new(),
            pins_lost: Vec::new(),
        }
    }

    /// From one state of a client to the next.
    pub(super) fn between(
        before: (&Client, &EffectivePolicy),
        after: (&Client, &EffectivePolicy),
    ) -> Shift {
        let (pins, pins_after) = (pins(before.0, before.1), pins(after.0, after.1));
        let (old, new) = (Stance::of(before.0, before.1), Stance::of(after.0, after.1));
        let but = |all: &[String], others: &[String]| -> Vec<String> {
            all.iter().filter(|it| !others.contains(it)).cloned().collect()
        };
        let (pins_added, pins_removed) = (but(&pins_after, &pins), but(&pins, &pins_after));
        let (weaker, stronger) = compare(&old, &new);
        let trend = if !weaker.is_empty() {
            Trend::Lowered
        } else if stronger {
            Trend::Raised
        } else if old.level == new.level && !(pins_added.is_empty() && pins_removed.is_empty()) {
            Trend::Pins
        } else {
            Trend::Changed
        };
        let level = |it: &Stance| it.level.filter(|_| !it.is_held);
        let (before, after) = (level(&old), level(&new));
        let pins_lost = pins_removed.clone();
        Shift { before, after, trend, weaker, pins_added, pins_removed, pins_lost }
    }
}

/// What is compared.
struct Stance {
    /// The level that is asked for; `None`: no word that Postfix knows, or it cannot be known.
    level: Option<SecurityLevel>,
    /// All mail waits.
    is_held: bool,
    oldest: Option<Protocol>,
    grade: Option<CipherGrade>,
    names: Vec<String>,
}

impl Stance {
    fn of(client: &Client, policy: &EffectivePolicy) -> Stance {
        let level = match policy.outcome {
            // The older table per site decides, which is not read.
            _ if client.per_site => None,
            Outcome::Plaintext => Some(SecurityLevel::None),
            Outcome::Enforced | Outcome::Opportunistic | Outcome::Deferred => {
                policy.level.as_ref().map(|it| it.value)
            }
        };
        let protocols = policy.protocols.as_ref().map(|it| it.value.as_bytes());
        let protocols = protocols.and_then(|it| Protocols::parse(it, client.version).ok());
        // OpenSSL is built without SSLv3.
        let oldest = protocols.and_then(|it| it.offered().find(|it| *it != Protocol::Ssl3));
        let grade = policy.ciphers.as_ref().and_then(|it| CipherGrade::parse(it.value.as_bytes()));
        let names = policy.names.as_ref().map(|it| it.value.as_slice()).unwrap_or_default();
        Stance {
            level,
            is_held: policy.outcome == Outcome::Deferred,
            oldest,
            grade: grade.map(|it| it.meant(client.version)),
            names: names.iter().map(|it| it.to_ascii_lowercase()).collect(),
        }
    }
}

/// The fingerprints that the client takes.
fn pins(client: &Client, policy: &EffectivePolicy) -> Vec<String> {
    let all = policy.fingerprints.as_ref().map(|it| it.value.as_slice()).unwrap_or_default();
    let counts = all.iter().filter_map(|it| matching::pin(it.as_bytes(), client).ok());
    counts.map(|it| it.to_string()).collect()
}

/// What asks for less, and whether something asks for more.
fn compare(old: &Stance, new: &Stance) -> (Vec<Weaker>, bool) {
    let nothing = (Vec::new(), false);
    let (Some(before), Some(after)) = (old.level, new.level) else { return nothing };
    if new.is_held {
        return nothing;
    }
    let compares_names =
        |it: SecurityLevel| matches!(it, SecurityLevel::Verify | SecurityLevel::Secure);
    if before != after && !(compares_names(before) && compares_names(after)) {
        let lost_the_must = insists(before) && !insists(after);
        // It says what the other one asks.
        return match before.compare(after) {
            _ if lost_the_must => (vec![Weaker::Level], false),
            Some(Ordering::Less) => (vec![Weaker::Level], false),
            Some(Ordering::Greater) => (Vec::new(), !old.is_held),
            Some(Ordering::Equal) | None => nothing,
        };
    }
    if old.is_held || !insists(after) {
        return nothing;
    }
    let parts = [
        (Weaker::Protocols, old.oldest.zip(new.oldest).map(|(old, new)| new.cmp(&old))),
        (Weaker::Ciphers, old.grade.zip(new.grade).map(|(old, new)| rank(new).cmp(&rank(old)))),
        (Weaker::Names, compare_names(&old.names, &new.names)),
    ];
    let is = |wanted| move |it: &&(Weaker, Option<Ordering>)| it.1 == Some(wanted);
    let weaker = parts.iter().filter(is(Ordering::Less)).map(|it| it.0).collect();
    (weaker, parts.iter().any(|it| is(Ordering::Greater)(&it)))
}

/// Whether mail goes out encrypted or not at all.
fn insists(level: SecurityLevel) -> bool {
    match level {
        SecurityLevel::None | SecurityLevel::May | SecurityLevel::Dane => false,
        SecurityLevel::Encrypt
        | SecurityLevel::DaneOnly
        | SecurityLevel::Fingerprint
        | SecurityLevel::Verify
        | SecurityLevel::Secure => true,
    }
}

fn rank(grade: CipherGrade) -> u8 {
    match grade {
        CipherGrade::High => 4,
        CipherGrade::Medium => 3,
        CipherGrade::Low => 2,
        CipherGrade::Export => 1,
        CipherGrade::Null => 0,
    }
}

/// `Less`: more certificates have one of the new names, or names count that DNS may have forged.
/// `None`: others have.
fn compare_names(old: &[String], new: &[String]) -> Option<Ordering> {
    // What the word stands for comes out of DNS.
    let forged = |it: &[String]| it.iter().any(|it| it == "hostname");
    if forged(old) != forged(new) {
        return Some(if forged(new) { Ordering::Less } else { Ordering::Greater });
    }
    let covers = |all: &[String], name: &String| {
        all.iter().any(|it| it == name || (it.starts_with('.') && name.ends_with(it.as_str())))
    };
    let (all_old, all_new) =
        (old.iter().all(|it| covers(new, it)), new.iter().all(|it| covers(old, it)));
    match (all_old, all_new) {
        (true, true) => Some(Ordering::Equal),
        (true, false) => Some(Ordering::Less),
        (false, true) => Some(Ordering::Greater),
        (false, false) => None,
    }
}

#[allow(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn write_level<S: Serializer>(level: &Option<SecurityLevel>, to: S) -> Result<S::Ok, S::Error> {
    level.map(SecurityLevel::name).serialize(to)
}

fn read_level<'d, D: Deserializer<'d>>(from: D) -> Result<Option<SecurityLevel>, D::Error> {
    let Some(name) = Option::<String>::deserialize(from)? else { return Ok(None) };
    let level = SecurityLevel::parse(name.as_bytes());
    level.map(Some).ok_or_else(|| serde::de::Error::custom("no such security level"))
}
