//! The values that are set and that programs check when they start, in each place where they
//! hold (`global/mail_conf_*.c`).

use std::collections::BTreeSet;

use super::effective::service_default;
use super::{Effective, Origin, Scope, ServerTls, TlsClient, Within};
use crate::postfix::{self, Limit, Readers, Type, is_command};
use crate::text::Span;

/// A value that somebody sets.
#[derive(Clone, Debug)]
pub struct ReadValue {
    /// The name; one that a service brings, such as `relay_destination_recipient_limit`, too.
    pub name: String,
    /// The syntax of the value.
    pub kind: Type,
    /// What else is checked, and by whom.
    pub limit: Limit,
    /// Postfix's default, whose unit a time without one has.
    pub default: String,
    /// The value, expanded.
    pub value: Vec<u8>,
    /// Where it is set.
    pub span: Span,
    /// Whether a program here reads it.
    pub is_read: bool,
}

impl Effective<'_> {
    /// Each value of these kinds that is set where it is set, once; without those that cannot be
    /// expanded.
    pub fn read_values(&self, kinds: &[Type]) -> Vec<ReadValue> {
        let mut names: BTreeSet<&[u8]> = self.main.last.keys().copied().collect();
        names.extend(self.main.planned.keys().map(String::as_bytes));
        names.extend(self.scopes.iter().flat_map(|it| &it.settings).flatten().map(|it| &it.0[..]));
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        for name in names.into_iter().filter_map(|it| str::from_utf8(it).ok()) {
            let Some((kind, limit, default)) = self.checked(name) else { continue };
            if !kinds.contains(&kind) {
                continue;
            }
            let (places, is_read) = self.places(name, limit.readers);
            for within in places {
                let Origin::Set(span) = self.origin(name, within) else { continue };
                let text = self.raw(name, within).unwrap_or_default();
                let Ok(value) = self.value(name, within).0 else { continue };
                if !self.is_known(&text, within) {
                    continue;
                }
                // It may say different things to different services.
                if seen.insert((span, value.clone())) {
                    let (name, default) = (name.to_owned(), default.clone());
                    found.push(ReadValue { name, kind, limit, default, value, span, is_read });
                }
            }
        }
        found
    }

    /// What is checked of a parameter, and its default.
    fn checked(&self, name: &str) -> Option<(Type, Limit, String)> {
        let build = &self.main.environment.build;
        let Some(parameter) = postfix::parameter(name) else {
            let services = self.scopes.iter().map(|it| (&it.service[..], &it.command[..]));
            // It has the limits of the one that is its default.
            let of = service_default(services, name)?.strip_prefix('$')?;
            let (kind, limit, default) = self.checked(of)?;
            let readers = Readers::Programs(if of == "command_time_limit" {
                "pipe,spawn"
            } else {
                "oqmgr,qmgr"
            });
            return Some((kind, Limit { readers, ..limit }, default));
        };
        if !parameter.exists_in(build) || parameter.is_read_only_in(build) {
            return None;
        }
        let default = parameter.default_in(build).unwrap_or_default().into_owned();
        Some((parameter.kind, *postfix::limit(name)?, default))
    }

    /// Where the readers of a parameter take its value from, and whether there are any.
    fn places<'e>(&'e self, name: &str, readers: Readers) -> (Vec<Within<'e>>, bool) {
        let service =
            name.strip_suffix("_time_limit").filter(|_| postfix::parameter(name).is_none());
        if let Some(service) = service {
            let own = self.scopes.iter().filter(|it| it.service == service.as_bytes());
            let place =
                |it: &'e Scope| it.settings.as_ref().map_or(Within::Main, |_| Within::Service(it));
            return (own.map(place).collect(), true);
        }
        let with_settings =
            || self.scopes.iter().filter(|it| it.settings.is_some()).map(Within::Service);
        match readers {
            Readers::All => ([Within::Main].into_iter().chain(with_settings()).collect(), true),
            Readers::Tls => {
                let programs = ["lmtp", "smtp", "smtpd", "tlsproxy"];
                let clients = self.tls_clients().iter().any(TlsClient::uses_tls);
                let servers = || self.servers().iter().any(|it| it.tls != ServerTls::Off);
                (self.within(&programs), clients || servers())
            }
            Readers::Programs(_) => {
                let programs: Vec<&str> = readers.programs().collect();
                let runs =
                    |scope: &Scope| programs.iter().any(|it| it.as_bytes() == scope.program());
                let services = self.within(&programs);
                if programs.iter().any(|it| is_command(it)) {
                    let beside = services.into_iter().filter(|it| matches!(it, Within::Service(_)));
                    return ([Within::Main].into_iter().chain(beside).collect(), true);
                }
                (services, self.scopes.is_empty() || self.scopes.iter().any(runs))
            }
        }
    }
}
