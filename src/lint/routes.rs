//! What the TLS policy tables say of each next-hop destination that the files name.
//!
//! Follows `smtp/smtp_tls_policy.c`: a destination is looked up as it is written, and only
//! one that is a plain host name by its parent domains as well.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::Context;
use super::credentials::{Credentials, Passwords};
use crate::config::{Client, Destination, Effective, Endpoint, LookupTable, NextHop, NextHops};
use crate::policy::{self, Policies, row};
use crate::postfix::SecurityLevel;
use crate::syntax::lists::{self, COMMA_SPACE};
use crate::syntax::table::{self, Kind, Row};
use crate::text::{Span, fold};

/// Where mail goes, and under which policies.
pub struct Routes {
    /// The index of the configuration among [`Context::views`].
    pub(super) view: usize,
    /// All destinations.
    pub hops: NextHops,
    /// The same with their policies, in the same order.
    pub routes: Vec<Route>,
}

/// A destination and its policy.
pub struct Route {
    /// The destination and the client that goes there.
    pub hop: NextHop,
    /// What the client's TLS policy tables say.
    pub policy: Answer,
    /// The level where they say nothing; `None` if it is none that postls knows.
    pub default_level: Option<SecurityLevel>,
    /// Where that is set.
    pub default_set: Option<Span>,
    /// The tables' keys for the same host that are not the destination as it is written.
    pub alike: Vec<PolicyKey>,
    /// What the client's password tables say.
    pub credentials: Credentials,
}

/// What the tables say.
pub enum Answer {
    /// This.
    Row(PolicyKey),
    /// Nothing.
    Nothing,
    /// Something that is decided where postls does not look.
    Unknown,
}

/// A key of a TLS policy table, or a destination of the policy file.
#[derive(Clone)]
pub struct PolicyKey {
    /// As Postfix compares it.
    pub key: Vec<u8>,
    /// Where it stands.
    pub span: Span,
    /// The level, if it is one.
    pub level: Option<SecurityLevel>,
}

impl Route {
    /// The level that the client will use, where that is known, and where it is said.
    pub fn level(&self) -> Option<(SecurityLevel, Option<Span>)> {
        match &self.policy {
            Answer::Row(row) => Some((row.level?, Some(row.span))),
            Answer::Nothing => Some((self.default_level?, self.default_set)),
            Answer::Unknown => None,
        }
    }
}

/// The host of a key or destination, folded, without brackets and port.
pub fn host_of(text: &[u8]) -> Option<Vec<u8>> {
    Destination::parse(text).ok().map(|it| fold(it.host).into_owned())
}

/// The keys of one table.
enum Layer {
    Known(Keys),
    Unknown,
}

/// Those that a next hop could have something to do with.
#[derive(Default)]
struct Keys {
    by_key: HashMap<Vec<u8>, PolicyKey, RandomState>,
    by_host: HashMap<Vec<u8>, Vec<PolicyKey>, RandomState>,
}

impl Keys {
    fn add(&mut self, key: PolicyKey) {
        // Of equal keys the first counts.
        if self.by_key.contains_key(&key.key) {
            return;
        }
        if let Some(host) = host_of(&key.key) {
            self.by_host.entry(host).or_default().push(key.clone());
        }
        self.by_key.insert(key.key.clone(), key);
    }
}

/// The routes of each configuration: as it is and, where there is a policy file, as it will be.
pub(super) fn all(context: &Context<'_>) -> Vec<Routes> {
    let views: Vec<Effective<'_>> = context.views().collect();
    let mut all = Vec::new();
    if let Some(now) = views.first() {
        all.push(of_view(context, now, 0, None));
    }
    if let (Some(wanted), Some(policies)) = (views.last(), context.policies) {
        all.push(of_view(context, wanted, views.len() - 1, Some(policies)));
    }
    all
}

fn of_view(
    context: &Context<'_>,
    effective: &Effective<'_>,
    view: usize,
    policies: Option<&Policies>,
) -> Routes {
    let hops = effective.next_hops(context.sources, &context.lookups);
    let hosts: HashSet<Vec<u8>> = hops.named.iter().filter_map(|it| host_of(&it.text)).collect();
    let asked: HashSet<Vec<u8>> = hops.named.iter().flat_map(keys_for).collect();
    let is_wanted =
        |key: &[u8]| asked.contains(key) || host_of(key).is_some_and(|host| hosts.contains(&host));
    // Clients share their tables.
    let mut read: HashMap<(&str, Vec<u8>), Vec<Layer>, RandomState> = HashMap::default();
    let mut passwords = Passwords::default();
    let mut routes = Vec::new();
    for hop in &hops.named {
        let within = hop.client.within(effective);
        let value = effective.value(&hop.client.parameter("tls_policy_maps"), within).0;
        let value = value.unwrap_or_else(|_| b"unknown".to_vec());
        let per_site = effective.value(&hop.client.parameter("tls_per_site"), within).0;
        let layers = read.entry((hop.client.program, value.clone())).or_insert_with(|| {
            let mut layers = Vec::new();
            let ours = policies.filter(|it| it.table.client() == hop.client.program);
            layers.extend(ours.map(|it| Layer::Known(of_policy_file(it, &is_wanted))));
            for word in lists::words(&value, COMMA_SPACE).map(|it| &value[it]) {
                match context.lookup_table(word) {
                    Some(table) if ours.is_some_and(|it| is_ours(context, table, it)) => {}
                    Some(table) => layers.push(Layer::Known(of_table(context, table, &is_wanted))),
                    None => layers.push(Layer::Unknown),
                }
            }
            if layers.is_empty() && per_site.is_ok_and(|it| !it.is_empty()) {
                layers.push(Layer::Unknown);
            }
            layers
        });
        let (default_level, default_set) = default_level(effective, hop.client);
        routes.push(Route {
            policy: answer(layers, hop),
            alike: alike(layers, hop),
            credentials: passwords.of(context, effective, hop),
            hop: hop.clone(),
            default_level,
            default_set,
        });
    }
    Routes { view, hops, routes }
}

/// The keys that a client asks for, in order.
fn keys_for(hop: &NextHop) -> Vec<Vec<u8>> {
    let text = fold(&hop.text);
    match hop.endpoint {
        Endpoint::Network => policy::client::keys(&text, true),
        Endpoint::Socket => vec![text.into_owned()],
    }
}

fn answer(layers: &[Layer], hop: &NextHop) -> Answer {
    for key in keys_for(hop) {
        for layer in layers {
            match layer {
                Layer::Unknown => return Answer::Unknown,
                Layer::Known(keys) => {
                    if let Some(found) = keys.by_key.get(&key) {
                        return Answer::Row(found.clone());
                    }
                }
            }
        }
    }
    Answer::Nothing
}

fn alike(layers: &[Layer], hop: &NextHop) -> Vec<PolicyKey> {
    let (Endpoint::Network, Some(host)) = (hop.endpoint, host_of(&hop.text)) else {
        return Vec::new();
    };
    let text = fold(&hop.text);
    let mut found = Vec::new();
    for layer in layers {
        let Layer::Known(keys) = layer else { continue };
        let same_host = keys.by_host.get(&host).into_iter().flatten();
        found.extend(same_host.filter(|it| it.key != *text).cloned());
    }
    found.sort_by_key(|it| it.span);
    found
}

fn of_policy_file(policies: &Policies, is_wanted: &dyn Fn(&[u8]) -> bool) -> Keys {
    let mut keys = Keys::default();
    for destination in policies.destinations.iter().filter(|it| !it.testing) {
        let key = destination.nexthop.value.as_str().as_bytes();
        if is_wanted(key) {
            let level = destination.policy.level.map(|it| it.value);
            keys.add(PolicyKey { key: key.to_vec(), span: destination.nexthop.span, level });
        }
    }
    keys
}

fn of_table(context: &Context<'_>, table: &LookupTable, is_wanted: &dyn Fn(&[u8]) -> bool) -> Keys {
    let bytes = context.sources.source(table.source).bytes();
    let mut keys = Keys::default();
    let mut take = |row: &Row| {
        let range = row.key_range(bytes);
        let key = fold(&bytes[range.clone()]);
        if row.kind == Kind::Entry && is_wanted(&key) {
            let span = Span::new(table.source, range);
            let level = row::parse(&row.value(bytes)).security_level();
            keys.add(PolicyKey { key: key.into_owned(), span, level });
        }
    };
    match context.tables.iter().find(|it| it.source == table.source) {
        Some(read) => read.table.rows.iter().for_each(&mut take),
        None => table::parse(bytes).rows.iter().for_each(&mut take),
    }
    keys
}

/// Whether a table is the one that postls writes: the policy file says what will stand in it.
fn is_ours(context: &Context<'_>, table: &LookupTable, policies: &Policies) -> bool {
    let name = context.sources.source(table.source).name();
    let path = policies.table.path.as_str();
    name.strip_suffix(path).is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

/// The level where no table says anything, and where that is set.
fn default_level(
    effective: &Effective<'_>,
    client: Client,
) -> (Option<SecurityLevel>, Option<Span>) {
    let client = effective.tls_client_within(client.program, client.within(effective));
    match client.level() {
        Some(global) => (Some(global.level), global.given.set),
        None => (None, client.own("tls_security_level").and_then(|it| it.set)),
    }
}
