//! Where a server's TLSA records are (`tls_dane_resolve`).

use std::time::Instant;

use super::settings::{HostLookup, RouteSettings};
use crate::observation::Looked;
use crate::observation::dns::{Tlsa, TlsaRecord};
use crate::observation::route::Server;
use crate::probe::dns::{Answer, Data, Kind, Resolver};

/// Whether TLSA records are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dane {
    /// They are.
    Ask,
    /// They are not.
    DontAsk,
}

/// The records of one server: first those of the name that its CNAME records lead to, if that way is validated, then those of
/// its own name. A host whose addresses are not validated has none, unless its own zone is signed and says that it
/// is another name.
pub(super) fn look_up(
    resolver: &Resolver,
    settings: &RouteSettings,
    server: &Server,
    port: u16,
    dane: Dane,
    end: Instant,
) -> Looked<Tlsa> {
    match dane {
        Dane::Ask => {}
        Dane::DontAsk => return Looked::NotAsked("nobody wants to know"),
    }
    match settings.host_lookup {
        HostLookup::Dns | HostLookup::DnsThenNative => {}
        HostLookup::Native => return Looked::NotAsked("hosts are not looked up in DNS"),
    }
    if server.addresses.is_empty() {
        return Looked::NotAsked("the host is not used");
    }
    if server.addresses.iter().any(|it| it.socket.ip().to_string() == server.name) {
        return Looked::NotAsked("an address has no TLSA records");
    }
    if Instant::now() >= end {
        return Looked::Late("nobody was asked: the time for this destination is over".to_owned());
    }
    if !settings.force_tlsa && !server.secure {
        if server.canonical.is_none() {
            return Looked::NotAsked("DNSSEC did not validate the host's addresses");
        }
        match resolver.ask(&server.name, Kind::Cname) {
            Answer::Found(found) if found.secure => {}
            Answer::Found(_) => {
                return Looked::NotAsked("DNSSEC did not validate the host's addresses");
            }
            Answer::Nothing(nothing) => return Looked::Failed(nothing.words),
            Answer::NullMx => return Looked::Nothing,
            Answer::Malformed(words) | Answer::Refused(words) | Answer::Failed(words) => {
                return Looked::Failed(words);
            }
            Answer::Late(words) => return Looked::Late(words),
        }
    }
    let canonical = server.canonical.as_ref().filter(|_| server.secure);
    let mut seen = Looked::Nothing;
    for base in canonical.into_iter().chain([&server.name]) {
        match at(resolver, base, port) {
            Looked::Found(tlsa) if tlsa.secure => return Looked::Found(tlsa),
            Looked::Failed(words) => return Looked::Failed(words),
            Looked::Late(words) => return Looked::Late(words),
            // They count for nothing, but it is good to know of them.
            Looked::Found(tlsa) if seen == Looked::Nothing => seen = Looked::Found(tlsa),
            Looked::Found(_) | Looked::Nothing | Looked::NotAsked(_) => {}
        }
    }
    seen
}

fn at(resolver: &Resolver, base: &str, port: u16) -> Looked<Tlsa> {
    match resolver.ask(&format!("_{port}._tcp.{base}"), Kind::Tlsa) {
        Answer::Found(found) => {
            let records = found.records.into_iter().filter_map(record).collect();
            Looked::Found(Tlsa { base: base.to_owned(), secure: found.secure, records })
        }
        Answer::Nothing(_) | Answer::NullMx => Looked::Nothing,
        Answer::Malformed(words) | Answer::Refused(words) | Answer::Failed(words) => {
            Looked::Failed(words)
        }
        Answer::Late(words) => Looked::Late(words),
    }
}

fn record(data: Data) -> Option<TlsaRecord> {
    match data {
        Data::Tlsa(record) => Some(record),
        Data::Mx(..) | Data::Address(_) | Data::Txt(_) | Data::Name(_) => None,
    }
}
