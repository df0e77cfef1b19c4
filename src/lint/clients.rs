//! The clients that ask TLS policy tables: smtp(8) and lmtp(8), for main.cf and for each service of
//! master.cf with values of its own.

use crate::config::{Effective, Origin, Scope, TableName, Within};
use crate::policy::Client;

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
    /// The client `name`, `smtp` or `lmtp`, that runs with the values of `scope`.
    pub fn new(
        effective: &Effective<'_>,
        name: &'static str,
        scope: Option<usize>,
    ) -> PolicyClient {
        let within = within(effective, scope);
        let value = |parameter: &str| effective.value(parameter, within).0.unwrap_or_default();
        let client = Client::new(name, effective.main.environment.build.version, &value);
        let tables = effective.tables(&format!("{name}_tls_policy_maps"), within);
        PolicyClient { client, tables, scope }
    }

    /// The whole name of a parameter, of which `suffix` is the part behind the client's name.
    pub fn parameter(&self, suffix: &str) -> String {
        match suffix {
            "ignore_mx_lookup_error" | "tls_append_default_CA" => suffix.to_owned(),
            _ => format!("{}_{suffix}", self.client.name),
        }
    }

    /// Who says what the value of such a parameter is.
    pub fn origin(&self, effective: &Effective<'_>, suffix: &str) -> Origin {
        effective.origin(&self.parameter(suffix), within(effective, self.scope))
    }
}

/// All of them; of those that cannot be told apart one.
pub fn clients(effective: &Effective<'_>) -> Vec<PolicyClient> {
    let mut clients: Vec<PolicyClient> = Vec::new();
    for name in ["smtp", "lmtp"] {
        for scope in scopes(effective, name) {
            let client = PolicyClient::new(effective, name, scope);
            let same = |it: &PolicyClient| {
                it.client == client.client
                    && it
                        .tables
                        .iter()
                        .map(|it| &it.text)
                        .eq(client.tables.iter().map(|it| &it.text))
            };
            if !clients.iter().any(same) {
                clients.push(client);
            }
        }
    }
    clients
}

/// Where the values of a program hold, as [`Effective::within`] has it.
fn scopes(effective: &Effective<'_>, program: &str) -> Vec<Option<usize>> {
    let index = |scope: &Scope| effective.scopes.iter().position(|it| std::ptr::eq(it, scope));
    let within = effective.within(&[program]).into_iter();
    within
        .map(|it| match it {
            Within::Main => None,
            Within::Service(scope) => index(scope),
        })
        .collect()
}

fn within<'e>(effective: &'e Effective<'_>, scope: Option<usize>) -> Within<'e> {
    scope.and_then(|it| effective.scopes.get(it)).map_or(Within::Main, Within::Service)
}
