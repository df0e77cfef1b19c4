//! The addresses of one host (`smtp_addr_one`).

use std::net::IpAddr;
use std::time::Instant;

use super::order::waiting;
use super::settings::{HostLookup, RouteSettings};
use super::{Target, unknown};
use crate::observation::route::Server;
use crate::probe::dns::{Answer, Data, Kind, RECORDS, Resolver};

/// Looks up hosts until time is over.
pub(super) struct Finder<'f> {
    pub(super) resolver: &'f Resolver,
    pub(super) settings: &'f RouteSettings,
    pub(super) target: &'f Target,
    pub(super) end: Instant,
}

/// Why a host has no address.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    /// For people.
    pub(super) words: String,
    /// Whether to try again makes a difference.
    pub(super) passes: bool,
}

impl Trouble {
    pub(super) fn passing(words: &str) -> Trouble {
        Trouble { words: words.to_owned(), passes: true }
    }

    fn lasting(words: String) -> Trouble {
        Trouble { words, passes: false }
    }

    /// What both together mean: what may pass counts more, and its words.
    pub(super) fn after(self, before: Option<Trouble>) -> Trouble {
        match before {
            Some(before) if before.passes && !self.passes => before,
            Some(_) | None => self,
        }
    }
}

impl Finder<'_> {
    pub(super) fn ask(&self, name: &str, kind: Kind) -> Answer {
        if Instant::now() >= self.end {
            return Answer::Late(format!("{name} was not asked for: the time is over"));
        }
        self.resolver.ask(name, kind)
    }

    /// A host with its addresses, or why it has none.
    pub(super) fn server(&self, name: &str, preference: Option<u16>) -> (Server, Option<Trouble>) {
        let mut server = unknown(name, preference);
        let found = self.addresses(name, &mut server);
        let port = self.target.port;
        match found {
            Ok(addresses) => {
                let taken = addresses.into_iter().take(RECORDS);
                server.addresses = taken.map(|it| waiting(it, port)).collect();
                (server, None)
            }
            Err(trouble) => {
                server.trouble = Some(trouble.words.clone());
                (server, Some(trouble))
            }
        }
    }

    /// Whether one of its addresses is one of this host.
    pub(super) fn is_own(&self, server: &Server) -> bool {
        let own = &self.settings.own;
        let is_own = server.addresses.iter().any(|it| own.contains(&it.socket.ip()));
        self.target.detects_loops && is_own
    }

    fn addresses(&self, name: &str, server: &mut Server) -> Result<Vec<IpAddr>, Trouble> {
        if !self.settings.ipv4 && !self.settings.ipv6 {
            return Err(Trouble::passing("inet_protocols rules out all addresses"));
        }
        if let Ok(address) = name.parse::<IpAddr>()
            && self.settings.takes(address)
        {
            return Ok(vec![address]);
        }
        match self.settings.host_lookup {
            HostLookup::Dns => self.by_dns(name, server).map_err(|(it, _)| it),
            HostLookup::Native => self.by_system(name),
            HostLookup::DnsThenNative => match self.by_dns(name, server) {
                Err((trouble, Next::System)) => {
                    self.by_system(name).map_err(|it| it.after(Some(trouble)))
                }
                Err((trouble, Next::Nobody)) => Err(trouble),
                Ok(addresses) => Ok(addresses),
            },
        }
    }

    /// Both kinds of addresses; one of them is enough (`dns_lookup_rv`).
    fn by_dns(&self, name: &str, server: &mut Server) -> Result<Vec<IpAddr>, (Trouble, Next)> {
        let kinds = [(Kind::A, self.settings.ipv4), (Kind::Aaaa, self.settings.ipv6)];
        let (mut addresses, mut worst) = (Vec::new(), None::<(u8, Trouble)>);
        for (kind, _) in kinds.into_iter().filter(|it| it.1) {
            let trouble = match self.ask(name, kind) {
                Answer::Found(found) => {
                    server.secure = found.secure && (server.secure || addresses.is_empty());
                    server.canonical = server.canonical.take().or(found.canonical);
                    addresses.extend(found.records.iter().filter_map(address));
                    continue;
                }
                Answer::Nothing(nothing) => (0, Trouble::lasting(nothing.words)),
                // There is none for addresses.
                Answer::NullMx => continue,
                Answer::Refused(words) => (1, Trouble::lasting(words)),
                Answer::Malformed(words) => (2, Trouble::lasting(words)),
                Answer::Failed(words) | Answer::Late(words) => (3, Trouble { words, passes: true }),
            };
            // Of what weighs the same the last one counts.
            if worst.as_ref().is_none_or(|it| it.0 <= trouble.0) {
                worst = Some(trouble);
            }
        }
        if !addresses.is_empty() {
            return Ok(addresses);
        }
        let (weight, trouble) =
            worst.unwrap_or_else(|| (0, Trouble::lasting(format!("{name} has no address"))));
        // Who does not know the name may not be the only one to ask.
        Err((trouble, if weight == 0 { Next::System } else { Next::Nobody }))
    }

    /// What getaddrinfo(3) says where nsswitch.conf(5) has `files dns`.
    fn by_system(&self, name: &str) -> Result<Vec<IpAddr>, Trouble> {
        let listed = self.settings.hosts.addresses(name).iter().copied();
        let listed: Vec<IpAddr> = listed.filter(|it| self.settings.takes(*it)).collect();
        if !listed.is_empty() {
            return Ok(listed);
        }
        // Whether DNS validated it is not told to Postfix.
        let mut unused = unknown(name, None);
        self.by_dns(name, &mut unused).map_err(|(trouble, _)| trouble)
    }
}

/// Who is asked next.
enum Next {
    System,
    Nobody,
}

fn address(record: &Data) -> Option<IpAddr> {
    match record {
        Data::Address(address) => Some(*address),
        Data::Mx(..) | Data::Tlsa(_) | Data::Txt(_) | Data::Name(_) => None,
    }
}
