//! The clients that ask the table, before a plan and after it: which policy each of them gets for a
//! destination.
//!
//! Other tables in a client's list are asked too where they are files of rows. Known limit: of all
//! others (patterns, databases, sockets) this knows nothing, and goes on as if they had no row.

use crate::config::{Configuration, Effective, Scope, TableKind, TlsClient, Within};
use crate::policy::Client;
use crate::policy::client::keys;
use crate::policy::effective::EffectivePolicy;
use crate::syntax::indexed::Indexed;

/// What decides who asks the table.
pub struct Asking<'a> {
    /// main.cf as it is.
    pub configuration: &'a Configuration<'a>,
    /// The services of master.cf.
    pub scopes: &'a [Scope],
    /// The client that asks the table: `smtp` or `lmtp`.
    pub program: &'static str,
    /// What main.cf may call the table: `$config_directory/tls_policy`, an absolute path.
    pub table_names: &'a [String],
    /// The sources of other tables of rows, by their names in lists: `hash:/etc/postfix/more`.
    pub beside: &'a [(String, &'a [u8])],
}

/// A client, and the tables that it asks, in order.
pub(super) struct Asker<'r> {
    pub(super) client: Client,
    tables: Vec<&'r Indexed<'r>>,
    /// Whether the table that postls writes is one of them.
    pub(super) asks_it: bool,
}

impl<'r> Asker<'r> {
    /// All clients that run the program, in the order of master.cf.
    pub(super) fn all(
        asking: &Asking<'_>,
        configuration: &Configuration<'_>,
        own: &'r Indexed<'r>,
        beside: &'r [(&str, Indexed<'r>)],
    ) -> Vec<Asker<'r>> {
        let effective = Effective::with_scopes(configuration, asking.scopes);
        let asker = |of: TlsClient<'_>| {
            let value = |parameter: &str| of.exactly(parameter).unwrap_or_default();
            let version = configuration.environment.build.version;
            let client = Client::new(of.program, version, &value);
            let list = effective.tables(&format!("{}_tls_policy_maps", of.program), of.within);
            let is_it = |name: &str| asking.table_names.iter().any(|it| it == name);
            let rows = list.iter().filter(|it| it.kind != TableKind::Other).filter_map(|it| {
                if is_it(&it.name) {
                    return Some(own);
                }
                beside.iter().find(|(text, _)| *text == it.text).map(|(_, rows)| rows)
            });
            let tables: Vec<&'r Indexed<'r>> = rows.collect();
            let asks_it = tables.iter().any(|it| std::ptr::eq(*it, own));
            Asker { client, tables, asks_it }
        };
        let within = effective.within(&[asking.program]).into_iter();
        let mut all: Vec<Asker<'_>> =
            within.map(|it| asker(effective.tls_client_within(asking.program, it))).collect();
        if all.is_empty() {
            all.push(asker(effective.tls_client_within(asking.program, Within::Main)));
        }
        all
    }

    /// Whether its tables are the one that postls writes and no other.
    pub(super) fn asks_it_alone(&self) -> bool {
        self.asks_it && self.tables.len() == 1
    }

    /// The row that decides for a destination, with the key that it has.
    fn row(&self, destination: &[u8]) -> Option<(Vec<u8>, &'r [u8])> {
        let keys = keys(destination, self.client.utf8).into_iter();
        // All tables are asked for one key before the next one's turn comes.
        keys.filter(|it| !it.is_empty())
            .find_map(|key| self.tables.iter().find_map(|it| Some((key.clone(), it.get(&key)?))))
    }

    /// What it does with mail for a destination; with an empty one, for all that no row speaks of.
    pub(super) fn policy(&self, destination: &[u8]) -> EffectivePolicy {
        match self.row(destination) {
            Some((key, row)) => EffectivePolicy::new(&self.client, &key, Some(row)),
            None => EffectivePolicy::new(&self.client, destination, None),
        }
    }
}
