//! Whether a client has a password for a next-hop destination.
//!
//! Follows `smtp/smtp_sasl_glue.c`: the sender, where that is asked for, then the name of the
//! server, then the destination as it is written.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::Context;
use super::routes::host_of;
use crate::config::{Destination, Effective, Endpoint, Lookup, NextHop};
use crate::syntax::lists::{self, COMMA_SPACE};
use crate::syntax::table::{self, Kind};
use crate::text::{SourceId, Span, fold};

/// What the password tables say of a destination.
pub enum Credentials {
    /// The client does not authenticate.
    Off,
    /// There is a password.
    Found,
    /// There is none; these keys have the same host and another form.
    Nothing(Vec<Span>),
    /// Nobody but Postfix knows.
    Unknown,
}

/// The keys of password tables: each table is read once.
#[derive(Default)]
pub(super) struct Passwords(HashMap<SourceId, Keys, RandomState>);

/// The keys of a table by their host.
#[derive(Default)]
struct Keys(HashMap<Vec<u8>, Vec<Key>, RandomState>);

/// A key as Postfix compares it, and its place.
type Key = (Vec<u8>, Span);

impl Passwords {
    /// What the tables say of a destination.
    pub(super) fn of(
        &mut self,
        context: &Context<'_>,
        effective: &Effective<'_>,
        hop: &NextHop,
    ) -> Credentials {
        let within = hop.client.within(effective);
        let value = |rest: &str| {
            let value = effective.value(&hop.client.parameter(rest), within).0;
            value.unwrap_or_default()
        };
        if !value("sasl_auth_enable").eq_ignore_ascii_case(b"yes") {
            return Credentials::Off;
        }
        let (Endpoint::Network, Ok(destination)) = (hop.endpoint, Destination::parse(&hop.text))
        else {
            return Credentials::Unknown;
        };
        let host = fold(destination.host).into_owned();
        let asked = fold(&hop.text).into_owned();
        let mut alike = Vec::new();
        let maps = value("sasl_password_maps");
        for word in lists::words(&maps, COMMA_SPACE).map(|it| &maps[it]) {
            if word.starts_with(b"static:") {
                return Credentials::Found;
            }
            let Some(table) = context.lookup_table(word) else {
                return Credentials::Unknown;
            };
            let keys = self.0.entry(table.source).or_insert_with(|| read(context, table.source));
            for (key, span) in keys.0.get(&host).into_iter().flatten() {
                let is_server = destination.lookup == Lookup::Host && *key == host;
                if *key == asked || is_server {
                    return Credentials::Found;
                }
                // Without brackets, the server's name may be the domain's.
                if *key != host {
                    alike.push(*span);
                }
            }
        }
        if value("cname_overrides_servername").eq_ignore_ascii_case(b"yes") {
            return Credentials::Unknown;
        }
        Credentials::Nothing(alike)
    }
}

fn read(context: &Context<'_>, source: SourceId) -> Keys {
    let bytes = context.sources.source(source).bytes();
    let mut keys = Keys::default();
    for row in table::parse(bytes).rows.iter().filter(|it| it.kind == Kind::Entry) {
        let range = row.key_range(bytes);
        let key = fold(&bytes[range.clone()]).into_owned();
        if let Some(host) = host_of(&key) {
            keys.0.entry(host).or_default().push((key, Span::new(source, range)));
        }
    }
    keys
}
