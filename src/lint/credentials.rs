//! Whether a client has a password for a next-hop destination.
//!
//! Follows `smtp/smtp_sasl_glue.c`: the sender, where that is asked for, then the name of the
//! server, then the destination as it is written.

use super::{Context, Route};
use crate::config::{Destination, Effective, Endpoint, Lookup};
use crate::syntax::lists::{self, COMMA_SPACE};
use crate::syntax::table::{self, Kind};
use crate::text::{Span, fold};

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

impl Context<'_> {
    /// What the password tables say of a destination.
    pub fn credentials(&self, effective: &Effective<'_>, route: &Route) -> Credentials {
        let client = route.hop.client;
        let within = client.within(effective);
        let value = |rest: &str| {
            let value = effective.value(&client.parameter(rest), within).0;
            value.unwrap_or_default()
        };
        if !value("sasl_auth_enable").eq_ignore_ascii_case(b"yes") {
            return Credentials::Off;
        }
        let destination = Destination::parse(&route.hop.text);
        let (Endpoint::Network, Ok(destination)) = (route.hop.endpoint, destination) else {
            return Credentials::Unknown;
        };
        let host = fold(destination.host).into_owned();
        let asked = fold(&route.hop.text).into_owned();
        let mut alike = Vec::new();
        let maps = value("sasl_password_maps");
        for word in lists::words(&maps, COMMA_SPACE).map(|it| &maps[it]) {
            if word.starts_with(b"static:") {
                return Credentials::Found;
            }
            let Some(table) = self.lookups.iter().find(|it| it.text == word) else {
                return Credentials::Unknown;
            };
            let bytes = self.sources.source(table.source).bytes();
            for row in table::parse(bytes).rows.iter().filter(|it| it.kind == Kind::Entry) {
                let range = row.key_range(bytes);
                let key = fold(&bytes[range.clone()]);
                let is_server = destination.lookup == Lookup::Host && *key == *host;
                if *key == *asked || is_server {
                    return Credentials::Found;
                }
                // Without brackets, the server's name may be the domain's.
                if super::routes::host_of(&key).as_ref() == Some(&host) && *key != *host {
                    alike.push(Span::new(table.source, range));
                }
            }
        }
        if value("cname_overrides_servername").eq_ignore_ascii_case(b"yes") {
            return Credentials::Unknown;
        }
        Credentials::Nothing(alike)
    }
}
