//! `postls pin list` and `postls pin status`

use std::path::Path;

use clap::Args;

use super::{Format, nexthop};
use crate::cli::load::{self, Loaded};
use crate::cli::{Common, FOUND, OK, Outcome, Stop, planning};
use crate::host::{Host, System};
use crate::plan;
use crate::policy::rotation::{Rotation, SOON, Unapplied, Urgency};
use crate::policy::{Destination, Nexthop, Table, compile};
use crate::postfix::Digest;
use crate::report::pin::{self as report, Pins};

#[derive(Args)]
pub(super) struct List {
    /// Next-hop destinations of the policy file; default: all that have pins
    #[arg(value_name = "DEST", value_parser = nexthop)]
    destinations: Vec<Nexthop>,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
}

#[derive(Args)]
pub(super) struct Status {
    /// Next-hop destinations of the policy file; default: all that have pins
    #[arg(value_name = "DEST", value_parser = nexthop)]
    destinations: Vec<Nexthop>,
    /// Exit with 1 also if something has to be done within this many days
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16))]
    within: Option<u16>,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
}

impl List {
    pub(super) fn run(&self, common: &Common, policy: Option<&Path>) -> Result<Outcome, Stop> {
        let (loaded, _) = planning::load(&System, common, policy)?;
        let pins = pins(&loaded, &self.destinations, SOON)?;
        let output = match self.format {
            Format::Human => report::list(&pins, common.style()),
            Format::Json => report::json(&pins),
        };
        Ok(Outcome { output: output.into_bytes(), status: OK })
    }
}

impl Status {
    pub(super) fn run(&self, common: &Common, policy: Option<&Path>) -> Result<Outcome, Stop> {
        let (loaded, _) = planning::load(&System, common, policy)?;
        let within = self.within.map_or(SOON, i64::from);
        let mut pins = pins(&loaded, &self.destinations, within)?;
        pins.rotations.sort_by_cached_key(Rotation::order);
        let counts = |it: &Rotation<'_>| match it.urgency(within) {
            Urgency::Overdue => true,
            Urgency::Due => self.within.is_some(),
            Urgency::Fine => false,
        };
        let status = if pins.rotations.iter().any(counts) { FOUND } else { OK };
        let output = match self.format {
            Format::Human => report::status(&pins, common.style()),
            Format::Json => report::json(&pins),
        };
        Ok(Outcome { output: output.into_bytes(), status })
    }
}

/// The pins of these destinations, or of all, in the order of the files.
fn pins<'l>(loaded: &'l Loaded, wanted: &[Nexthop], within: i64) -> Result<Pins<'l>, Stop> {
    let Some(policy) = &loaded.policy else {
        return Err(Stop("there is no policy file".to_owned()));
    };
    let Some(today) = loaded.today else {
        return Err(Stop("this host's clock shows no day".to_owned()));
    };
    let policies = &policy.policies;
    let digest = loaded.context().client(policies.table.client()).client.known_digest();
    for nexthop in wanted {
        let found = policies.destinations.iter().find(|it| it.nexthop.value == *nexthop);
        let has_pins = found.map(|it| it.policy.pins.as_ref().is_some_and(|it| !it.is_empty()));
        let why = match has_pins {
            Some(true) => continue,
            Some(false) => "it has no pins",
            None => "the policy file has no such destination",
        };
        return Err(Stop(format!("{nexthop}: {why}")));
    }
    let is_wanted = |it: &Nexthop| wanted.is_empty() || wanted.contains(it);
    let wanted = policies.destinations.iter().filter(|it| is_wanted(&it.nexthop.value));
    let live = live_table(loaded, &policies.table, digest)?;
    let changes = plan::changes_of_pins(&live, &compile::rows(policies, digest));
    let rotation = |it: &'l Destination| {
        let nexthop = &it.nexthop.value;
        let change = changes.binary_search_by(|it| it.destination.as_str().cmp(nexthop.as_str()));
        let unapplied =
            change.map(|at| Unapplied { added: &changes[at].added, removed: &changes[at].removed });
        Rotation::new(it, digest, today, unapplied.unwrap_or_default())
    };
    let rotations = wanted.filter_map(rotation).collect();
    Ok(Pins { sources: &loaded.sources, rotations, digest, today, within })
}

/// The table that Postfix asks; nothing if it asks none of this name, if there is none, or if it
/// compares with fingerprints of another digest.
fn live_table(loaded: &Loaded, table: &Table, digest: Option<Digest>) -> Result<Vec<u8>, Stop> {
    let host = &System;
    let names = load::names_of(host, &loaded.directory, &table.path);
    let path = loaded.directory.join(&table.path);
    let client = loaded.context().client_as_it_is(table.client());
    let is_asked = client.is_some_and(|it| {
        it.client.known_digest() == digest && it.tables.iter().any(|it| names.contains(&it.name))
    });
    if is_asked && host.exists(&path) { load::read(host, &path) } else { Ok(Vec::new()) }
}
