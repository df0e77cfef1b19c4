//! What servers are known by at level fingerprint: the pins of each destination, in tables of rows and in
//! the policy file.
//!
//! Known limit: tables of patterns and of other kinds are left out.

use std::collections::HashMap;

use super::{Context, PolicyClient, PolicyTable};
use crate::certificate::Of;
use crate::policy::compile;
use crate::policy::matching;
use crate::policy::row;
use crate::policy::{Destination, Pin, Placed};
use crate::postfix::{Digest, Fingerprint, SecurityLevel};
use crate::syntax::lists::{self, BAR};
use crate::text::Span;

/// A destination at level fingerprint, or those of the policy file that share their pins.
pub struct Pinned<'c> {
    /// Their keys; never empty.
    pub keys: Vec<String>,
    /// What says so.
    pub within: PinnedBy<'c>,
    /// What it says of the server, in its order; empty: the pins of main.cf hold.
    pub pins: Vec<WrittenPin<'c>>,
    /// Whether there are other entries, which Postfix does not take.
    pub has_unusable: bool,
}

/// What says what a server is known by.
#[derive(Clone, Copy)]
pub enum PinnedBy<'c> {
    /// A row of a table.
    Row(&'c PolicyTable),
    /// The policy file.
    PolicyFile,
}

/// One pin as it is written.
pub struct WrittenPin<'c> {
    /// Where.
    pub span: Span,
    /// Its fingerprints: of a row the one, of the policy file in all digests in which it can be had.
    pub fingerprints: Vec<Fingerprint>,
    /// The same as the policy file has it.
    pub pin: Option<&'c Pin>,
}

impl WrittenPin<'_> {
    /// Whether both are of the same key or of the same certificate.
    pub fn is_same(&self, other: &WrittenPin<'_>) -> bool {
        self.fingerprints.iter().any(|it| other.fingerprints.contains(it))
    }

    /// Whether both come to an end together: the same, or a certificate and its own key.
    pub fn has_same_key(&self, other: &WrittenPin<'_>) -> bool {
        let key =
            |it: &WrittenPin<'_>| it.pin?.subject()?.fingerprint(Of::PublicKey, Digest::Sha256);
        self.is_same(other) || key(self).is_some_and(|it| key(other) == Some(it))
    }
}

impl Context<'_> {
    /// The destinations at level fingerprint. A table that postls wrote says what the policy file
    /// says, and is left out where there is one.
    pub fn pinned(&self) -> Vec<Pinned<'_>> {
        let in_files = self.policies.iter().flat_map(|it| &it.destinations);
        let at_level = |it: &&Destination| {
            let level = it.policy.level.map(|it| it.value);
            level == Some(SecurityLevel::Fingerprint) && !it.testing
        };
        let mut all: Vec<Pinned<'_>> = Vec::new();
        let mut known: HashMap<*const Pin, usize> = HashMap::new();
        for destination in in_files.filter(at_level) {
            let key = destination.nexthop.value.to_string();
            let pins = destination.policy.pins.as_deref().unwrap_or_default();
            // The pins of a profile are looked at once, however many destinations use it.
            match known.get(&pins.as_ptr()).filter(|_| !pins.is_empty()) {
                Some(shared) => all[*shared].keys.push(key),
                None => {
                    known.insert(pins.as_ptr(), all.len());
                    all.push(of_policy_file(key, pins));
                }
            }
        }
        for table in &self.tables {
            let bytes = self.sources.source(table.source).bytes();
            let is_ours = self.policies.is_some() && bytes.starts_with(compile::MARK.as_bytes());
            if !is_ours {
                all.extend(table.pinned.iter().filter_map(|it| of_row(table, bytes, *it)));
            }
        }
        all
    }

    /// The clients with pins of main.cf or master.cf, as they are and, where the policy file owns
    /// parameters, as they will be, each with its pins and their place.
    pub fn common_pins(&self) -> Vec<(PolicyClient, Placed<Vec<Fingerprint>>)> {
        let mut all = Vec::new();
        let Some(view) = self.views().last() else { return all };
        for client in super::clients(&view) {
            let Some(span) = client.set_at(&view, "tls_fingerprint_cert_match") else { continue };
            let value = matching::pins_of_main_cf(&client.client).filter_map(Result::ok).collect();
            all.push((client, Placed { value, span }));
        }
        all
    }
}

fn of_policy_file(key: String, pins: &[Pin]) -> Pinned<'_> {
    let pins = pins.iter().map(|pin| WrittenPin {
        span: pin.place(),
        fingerprints: pin.fingerprints().collect(),
        pin: Some(pin),
    });
    let within = PinnedBy::PolicyFile;
    Pinned { keys: vec![key], within, pins: pins.collect(), has_unusable: false }
}

/// `None`: who asks the table takes none of its pins, which is a mistake of its own.
fn of_row<'c>(table: &'c PolicyTable, bytes: &[u8], row: usize) -> Option<Pinned<'c>> {
    let client = &table.clients.first()?.client;
    let text = table.table.rows[row].text(bytes);
    let policy = row::parse(text.value());
    let (mut pins, mut has_unusable, mut has_match) = (Vec::new(), false, false);
    for value in policy.values("match") {
        has_match = true;
        for word in lists::words(&text.value()[value.clone()], BAR) {
            let word = value.start + word.start..value.start + word.end;
            match matching::pin(&text.value()[word.clone()], client) {
                Ok(fingerprint) => pins.push(WrittenPin {
                    span: Span::new(table.source, text.locate(word)),
                    fingerprints: vec![fingerprint],
                    pin: None,
                }),
                Err(_) => has_unusable = true,
            }
        }
    }
    let key = String::from_utf8_lossy(text.key()).into_owned();
    let within = PinnedBy::Row(table);
    (!has_match || !pins.is_empty()).then_some(Pinned {
        keys: vec![key],
        within,
        pins,
        has_unusable,
    })
}
