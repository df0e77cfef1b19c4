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
use crate::probe::connection::{Begin, ConnectionSettings, Ehlo, Limits, Offer, Protocol};
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
    /// `bind_address` and `bind_address6`
    sources: (Option<Ipv4Addr>, Option<Ipv6Addr>),
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
            sources: (own("bind_address").parse().ok(), own("bind_address6").parse().ok()),
            limits: Limits {
                connect: usual.connect.min(total),
                greeting: usual.greeting.min(total),
                reply: usual.reply.min(total),
                tls: usual.tls.min(total),
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

/// One connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Job {
    pub(super) socket: SocketAddr,
    pub(super) tls: TlsSettings,
    pub(super) trust: Wanted,
    /// Whom it burdens.
    pub(super) provider: String,
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
                of.push(job.map(|job| {
                    *self.known.entry(job.clone()).or_insert_with(|| {
                        self.jobs.push(job);
                        self.jobs.len() - 1
                    })
                }));
            }
        }
        self.of.push(of);
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
    Ok(Job { socket: address.socket, tls, trust, provider: provider(server, address) })
}

/// The domain that a server's name ends with, as far as that can be told without a list of registries; of an
/// address its network.
fn provider(server: &Server, address: &Address) -> String {
    let name = server.canonical.as_deref().unwrap_or(&server.name);
    if name.parse::<IpAddr>().is_err() && name.contains('.') {
        let labels: Vec<&str> = name.rsplit('.').take(2).collect();
        return labels.join(".").to_ascii_lowercase();
    }
    match address.socket.ip() {
        IpAddr::V4(it) => format!("{}.{}.{}", it.octets()[0], it.octets()[1], it.octets()[2]),
        IpAddr::V6(it) => {
            format!("{:x}:{:x}:{:x}", it.segments()[0], it.segments()[1], it.segments()[2])
        }
    }
}
