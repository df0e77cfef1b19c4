//! Which connections are made, each once, and with what.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use super::trusted::{Trusted, Wanted};
use crate::observation::Observation;
use crate::observation::route::{Address, Seen, Server};
use crate::policy::outcome::Outcome;
use crate::policy::session::{self, Host, HostLevel, TlsSettings};
use crate::postfix::SecurityLevel;
use crate::probe::connection::{
    Begin, ConnectionSettings, Ehlo, Limits, Offer, Otherwise, Protocol, Source,
};
use crate::verdict::Subject;

/// What the client's parameters say about connections.
pub(super) struct Client {
    /// `myhostname`
    pub(super) host: String,
    protocol: Protocol,
    /// What it calls itself.
    name: String,
    ehlo: Ehlo,
    begin: Begin,
    offer: Offer,
    /// `bind_address` and `bind_address6`; what is no address counts for nothing here, and the client exits with it.
    sources: (Option<Ipv4Addr>, Option<Ipv6Addr>),
    /// `bind_address_enforce`
    otherwise: Otherwise,
    limits: Limits,
}

impl Client {
    /// Those of `program`, `smtp` or `lmtp`; `total` is the time for one connection.
    pub(super) fn new(
        program: &'static str,
        value: &dyn Fn(&str) -> Vec<u8>,
        total: Duration,
    ) -> Client {
        let global = |name: &str| String::from_utf8_lossy(&value(name)).trim().to_owned();
        let own = |suffix: &str| global(&format!("{program}_{suffix}"));
        let is_yes = |word: &str| word.eq_ignore_ascii_case("yes");
        let is_smtp = program == "smtp";
        let keywords = own("discard_ehlo_keywords") + &own("discard_lhlo_keywords");
        let separators = |it: char| it == ',' || it.is_ascii_whitespace();
        let is_starttls = |it: &str| it.eq_ignore_ascii_case("starttls");
        let usual = Limits::default();
        // Who gives more time than usual wants to wait for a slow server, whatever it is slow at.
        let stage = |limit: Duration| if total > usual.total { total } else { limit.min(total) };
        Client {
            host: global("myhostname"),
            protocol: if is_smtp { Protocol::Smtp } else { Protocol::Lmtp },
            name: own(if is_smtp { "helo_name" } else { "lhlo_name" }),
            ehlo: if is_yes(&own("never_send_ehlo")) {
                Ehlo::Never
            } else if own("always_send_ehlo").eq_ignore_ascii_case("no") {
                Ehlo::Asked
            } else {
                Ehlo::Always
            },
            begin: if is_yes(&own("tls_wrappermode")) { Begin::Wrapper } else { Begin::Starttls },
            offer: if keywords.split(separators).any(is_starttls) {
                Offer::Discarded
            } else {
                Offer::Heeded
            },
            sources: (
                bare(&own("bind_address")).parse().ok(),
                bare(&own("bind_address6")).parse().ok(),
            ),
            otherwise: if is_yes(&own("bind_address_enforce")) {
                Otherwise::None
            } else {
                Otherwise::Any
            },
            limits: Limits {
                connect: stage(usual.connect),
                greeting: stage(usual.greeting),
                reply: stage(usual.reply),
                tls: stage(usual.tls),
                total,
                ..usual
            },
        }
    }

    /// The settings of one connection.
    pub(super) fn settings(&self, job: &Job, trusted: &Trusted<'_>) -> Option<ConnectionSettings> {
        let source = match job.socket {
            SocketAddr::V4(_) => self.sources.0.map(IpAddr::V4),
            SocketAddr::V6(_) => self.sources.1.map(IpAddr::V6),
        };
        let source = source.map(|address| Source { address, otherwise: self.otherwise });
        Some(ConnectionSettings {
            protocol: self.protocol,
            client_name: self.name.clone(),
            ehlo: self.ehlo,
            begin: self.begin,
            offer: self.offer,
            source,
            limits: self.limits,
            tls: Some(job.tls.clone()),
            trust: trusted.of(&job.trust)?,
        })
    }
}

/// An address with or without brackets.
fn bare(address: &str) -> &str {
    address.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(address)
}

/// One connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Job {
    pub(super) socket: SocketAddr,
    pub(super) tls: TlsSettings,
    pub(super) trust: Wanted,
}

impl Job {
    /// Whom it burdens: the network of the address, which is a provider's whatever name each of its customers has
    /// for the server there.
    pub(super) fn provider(&self) -> String {
        match self.socket.ip() {
            IpAddr::V4(it) => {
                let [first, second, third, _] = it.octets();
                format!("{first}.{second}.{third}.0/24")
            }
            IpAddr::V6(it) => {
                let [first, second, third, ..] = it.segments();
                format!("{first:x}:{second:x}:{third:x}::/48")
            }
        }
    }
}

/// All connections, each once however many destinations need it.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) jobs: Vec<Job>,
    known: HashMap<Job, usize>,
    /// By destination, in the order of its addresses: which connection, or why there is none.
    of: Vec<Vec<Result<usize, &'static str>>>,
}

impl Plan {
    /// Adds those of a destination, in the order of all destinations.
    pub(super) fn add(&mut self, subject: &Subject<'_>, observation: &Observation) {
        let mut of = Vec::new();
        if let Ok(route) = &observation.route {
            for (server, address) in observation.addresses() {
                let level = subject.level_at(route.by, server);
                let job = job(subject, &level, server, address);
                of.push(job.map(|job| self.once(job)));
            }
        }
        self.of.push(of);
    }

    /// The place of a connection, which is a new one only if nobody needed the same before.
    fn once(&mut self, job: Job) -> usize {
        *self.known.entry(job.clone()).or_insert_with(|| {
            self.jobs.push(job);
            self.jobs.len() - 1
        })
    }

    /// Puts what was seen into the observations, in the order in which they were added.
    pub(super) fn fill(self, observations: &mut [Observation], seen: &[Option<Seen>]) {
        const LATE: Seen = Seen::NotTried("the time for all connections was over");
        for (observation, of) in observations.iter_mut().zip(self.of) {
            let Ok(route) = &mut observation.route else { continue };
            let addresses = route.servers.iter_mut().flat_map(|it| &mut it.addresses);
            for (address, job) in addresses.zip(of) {
                // One that the route rules out says why.
                address.seen = match job {
                    Ok(job) => seen.get(job).cloned().flatten().unwrap_or(LATE),
                    Err("") => continue,
                    Err(why) => Seen::NotTried(why),
                };
            }
        }
    }
}

/// The connection to one address; `Err`: there is none, and why, or nothing where the route has said it.
fn job(
    subject: &Subject<'_>,
    level: &HostLevel,
    server: &Server,
    address: &Address,
) -> Result<Job, &'static str> {
    if let Seen::NotTried(why) = &address.seen
        && *why != crate::probe::route::WAITING
    {
        return Err("");
    }
    // What a server can is of interest where Postfix would not ask, and where it would not even look.
    let level = match level {
        _ if subject.policy.outcome == Outcome::Deferred => {
            HostLevel::Level(SecurityLevel::Encrypt)
        }
        HostLevel::Level(SecurityLevel::None) => HostLevel::Level(SecurityLevel::May),
        HostLevel::Deferred(_) => HostLevel::Level(SecurityLevel::Encrypt),
        HostLevel::Level(_) | HostLevel::Tlsa(..) => level.clone(),
    };
    let host = Host {
        nexthop: subject.nexthop,
        name: &server.name,
        tlsa_base: server.tlsa.found().map(|it| it.base.as_str()),
    };
    let tls = session::settings(subject.client, subject.parameters, subject.policy, &level, &host);
    let tls = tls.ok().flatten().ok_or("TLS cannot begin with these settings")?;
    let trust = Wanted::new(subject.policy, &tls);
    Ok(Job { socket: address.socket, tls, trust })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::effective::EffectivePolicy;
    use crate::policy::session::Parameters;
    use crate::postfix::Version;

    fn job(socket: &str, host: &str) -> Job {
        let client = crate::policy::client::Client {
            protocols: ">=TLSv1".to_owned(),
            mandatory_protocols: ">=TLSv1".to_owned(),
            ciphers: "medium".to_owned(),
            mandatory_ciphers: "medium".to_owned(),
            ..crate::policy::client::Client::from(("smtp", Version::new(3, 7)))
        };
        let parameters = Parameters::new("smtp", &|_| Vec::new());
        let policy = EffectivePolicy::new(&client, host.as_bytes(), Some(b"encrypt"));
        let level = HostLevel::Level(SecurityLevel::Encrypt);
        let host = Host { nexthop: host, name: host, tlsa_base: None };
        let tls = session::settings(&client, &parameters, &policy, &level, &host);
        let tls = tls.expect("it can begin").expect("there is TLS");
        let trust = Wanted::new(&policy, &tls);
        Job { socket: socket.parse().expect("it is an address"), tls, trust }
    }

    #[test]
    fn customers_with_names_of_their_own_share_a_connection() {
        let mut plan = Plan::default();
        let places = [
            ("192.0.2.1:25", "mx.one.example"),
            ("192.0.2.1:25", "mx.two.example"),
            ("192.0.2.1:26", "mx.two.example"),
        ]
        .map(|(socket, host)| plan.once(job(socket, host)));
        assert_eq!((places, plan.jobs.len()), ([0, 0, 1], 2));
    }

    #[test]
    fn a_provider_is_a_network() {
        for (socket, provider) in [
            ("192.0.2.1:25", "192.0.2.0/24"),
            ("192.0.2.255:26", "192.0.2.0/24"),
            ("[2001:db8:0:1::1]:25", "2001:db8:0::/48"),
        ] {
            assert_eq!(job(socket, "mx.example").provider(), provider);
        }
    }

    #[test]
    fn stages_take_as_long_as_the_user_gives_all_of_them() {
        for (seconds, stages) in [(5, [5, 5, 5]), (60, [10, 30, 20]), (600, [600, 600, 600])] {
            let total = Duration::from_secs(seconds);
            let Limits { connect, greeting, tls, .. } =
                Client::new("smtp", &|_| Vec::new(), total).limits;
            assert_eq!([connect, greeting, tls].map(|it| it.as_secs()), stages, "{seconds}");
        }
    }

    #[test]
    fn brackets_are_no_part_of_an_address() {
        let value = |name: &str| match name {
            "smtp_bind_address" => b"192.0.2.1".to_vec(),
            "smtp_bind_address6" => b"[2001:db8::1]".to_vec(),
            "smtp_bind_address_enforce" => b"yes".to_vec(),
            _ => Vec::new(),
        };
        let client = Client::new("smtp", &value, Duration::from_secs(60));
        let (ipv4, ipv6) = client.sources;
        assert_eq!(ipv4, "192.0.2.1".parse().ok());
        assert_eq!(ipv6, "2001:db8::1".parse().ok());
        assert_eq!(client.otherwise, Otherwise::None);
    }
}
