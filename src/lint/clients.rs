//! The clients that ask TLS policy tables: smtp(8) and lmtp(8), for main.cf and for each service of
//! master.cf with values of its own.

use crate::config::{Effective, TableName, TlsClient, Within};
use crate::policy::Client;
use crate::text::Span;

/// A client, where its values hold, and the tables that it asks.
#[derive(Clone, Debug)]
pub struct PolicyClient {
    /// Its settings.
    pub client: Client,
    /// Its TLS policy tables, in order.
    pub tables: Vec<TableName>,
    /// The service that it is, as an index into the scopes of the configuration; `None`: main.cf's
    /// values hold.
    pub scope: Option<usize>,
}

impl PolicyClient {
    /// The settings of a client of `effective`.
    pub fn new(effective: &Effective<'_>, of: TlsClient<'_>) -> PolicyClient {
        let value = |parameter: &str| of.exactly(parameter).unwrap_or_default();
        let client = Client::new(of.program, effective.main.environment.build.version, &value);
        let tables = effective.tables(&format!("{}_tls_policy_maps", of.program), of.within);
        let scope = match of.within {
            Within::Main => None,
            Within::Service(scope) => {
                effective.scopes.iter().position(|it| std::ptr::eq(it, scope))
            }
        };
        PolicyClient { client, tables, scope }
    }

    /// The whole name of a parameter, of which `suffix` is the part behind the client's name.
    pub fn parameter(&self, suffix: &str) -> String {
        match suffix {
            "ignore_mx_lookup_error" | "tls_append_default_CA" => suffix.to_owned(),
            _ => format!("{}_{suffix}", self.client.name),
        }
    }

    /// Where such a parameter is set; `None`: nobody does.
    pub fn set_at(&self, effective: &Effective<'_>, suffix: &str) -> Option<Span> {
        let scope = self.scope.and_then(|it| effective.scopes.get(it));
        let within = scope.map_or(Within::Main, Within::Service);
        effective.origin(&self.parameter(suffix), within).span()
    }
}

/// All of them; of those that cannot be told apart one.
pub fn clients(effective: &Effective<'_>) -> Vec<PolicyClient> {
    let mut clients: Vec<PolicyClient> = Vec::new();
    for of in effective.tls_clients() {
        let client = PolicyClient::new(effective, of);
        let texts =
            |it: &PolicyClient| it.tables.iter().map(|it| it.text.clone()).collect::<Vec<_>>();
        if !clients.iter().any(|it| it.client == client.client && texts(it) == texts(&client)) {
            clients.push(client);
        }
    }
    clients
}
