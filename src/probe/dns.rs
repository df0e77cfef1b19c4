//! Asks the resolver, as Postfix does with the C library (`dns/dns_lookup.c`).
//!
//! - The resolver is trusted with DNSSEC: its AD bit counts, wherever it is. Postfix does the same once it wants
//!   validated answers, whatever `trust-ad` of resolv.conf(5) says, so that one which is not on this host can say what it likes.
//! - Names are asked for as they are: Postfix turns `search` and `domain` off.
//! - A server that fails or refuses makes room for the next one.
//!
//! What comes back may be anything. A reply counts if its id and its question are those of the query; it has at most
//! 65,535 bytes, and of its records the first [`RECORDS`] count. Each question has an end in time, however many servers there are.
//!
//! Known limits: an address of a name server with the name of an interface (`fe80::1%eth0`) is passed over, and
//! without `search` so is what getaddrinfo(3) would add to a short name where `smtp_host_lookup` is `native`.

mod message;
mod resolv_conf;

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

pub use message::{Data, Kind, RECORDS};

use super::timed::Timed;
use crate::policy::row::is_hostname;
use message::{Edns, Query, Reading, Reply};

/// So many CNAME records are followed (`dns_lookup_x`).
const ALIASES: usize = 10;

/// No message is longer.
const LONGEST: usize = u16::MAX as usize;

/// One question takes no longer than this, whatever resolv.conf(5) says.
const PATIENCE: Duration = Duration::from_secs(20);

/// A resolver that looks things up for us.
#[derive(Debug)]
pub struct Resolver {
    servers: Vec<SocketAddr>,
    timeout: Duration,
    attempts: u32,
    transport: Transport,
    /// `None`: the servers are asked in order; else which one comes first, and the next one at the next question.
    turn: Option<AtomicUsize>,
    patience: Duration,
}

/// How a server is asked at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transport {
    /// By UDP, and by TCP where the reply did not fit.
    Udp,
    /// By TCP.
    Tcp,
}

/// What the resolver says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// These records.
    Found(Found),
    /// There are none, or there is no such name.
    Nothing(Nothing),
    /// `MX 0 .`: the domain takes no mail.
    NullMx,
    /// There are some, and what they say is no host name; Postfix takes that for final.
    Malformed(String),
    /// The query itself failed, and to ask again makes no difference.
    Refused(String),
    /// It could not say now.
    Failed(String),
    /// It did not answer as long as this probe waits.
    Late(String),
}

/// Records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What stands in them, in the order of the reply.
    pub records: Vec<Data>,
    /// Whether the resolver validated them, and the way to them, with DNSSEC (AD).
    pub secure: bool,
    /// The name that has them, where CNAME records lead to another one.
    pub canonical: Option<String>,
}

/// What is certainly not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nothing {
    /// For people.
    pub words: String,
    /// Whether that was validated.
    pub secure: bool,
}

impl Resolver {
    /// The one that a resolv.conf(5) names; an empty text means the one on this host.
    pub fn of_file(resolv_conf: &[u8]) -> Resolver {
        resolv_conf::read(resolv_conf)
    }

    /// The one at this place.
    pub fn at(server: SocketAddr) -> Resolver {
        Resolver { servers: vec![server], ..Resolver::of_file(b"") }
    }

    /// Reads `ADDR`, `ADDR:PORT`, `[ADDR]` or `[ADDR]:PORT`, without a port that of DNS.
    pub fn place(text: &str) -> Option<SocketAddr> {
        if let Ok(socket) = text.parse() {
            return Some(socket);
        }
        let inner = text.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        let address: IpAddr = inner.unwrap_or(text).parse().ok()?;
        Some(SocketAddr::new(address, 53))
    }

    /// The same, and each question has an end after this time: tests do not wait as long as people do.
    #[must_use]
    pub fn within(self, patience: Duration) -> Resolver {
        Resolver { patience, ..self }
    }

    /// Asks for the records of a kind that a name has, and follows its CNAME records.
    pub fn ask(&self, name: &str, kind: Kind) -> Answer {
        if name.parse::<IpAddr>().is_ok() || !is_hostname(name.as_bytes()) {
            let words = format!("{name} is no name that DNS has");
            return Answer::Nothing(Nothing { words, secure: false });
        }
        let end = Instant::now() + self.patience;
        let (mut current, mut secure) = (name.to_owned(), true);
        for _ in 0..ALIASES {
            let reply = match self.look_up(&current, kind, end) {
                Ok(reply) => reply,
                Err(answer) => return answer,
            };
            // A CNAME in a reply that is not validated takes the rest with it.
            let is_validated = secure && reply.validated;
            match reply.reading {
                Reading::Records { records, owner } => {
                    let canonical = Some(owner).filter(|it| !it.eq_ignore_ascii_case(name));
                    return Answer::Found(Found { records, secure: is_validated, canonical });
                }
                Reading::Alias(next) => {
                    secure = is_validated;
                    current = next;
                }
                Reading::Nothing => {
                    let words = format!("{name} has no {kind} records");
                    return Answer::Nothing(Nothing { words, secure: is_validated });
                }
                Reading::NoSuchName => {
                    let words = format!("{current} does not exist");
                    return Answer::Nothing(Nothing { words, secure: is_validated });
                }
                Reading::NullMx => return Answer::NullMx,
                Reading::Malformed => {
                    let words = format!("the {kind} records of {name} have what is no host name");
                    return Answer::Malformed(words);
                }
                Reading::Broken => {
                    return Answer::Failed(format!("the reply about {kind} of {name} is broken"));
                }
                Reading::Refused(code) => {
                    return Answer::Refused(format!("asked for {kind} of {name}: {code}"));
                }
            }
        }
        let words = format!("the CNAME records of {name} come to no end");
        Answer::Nothing(Nothing { words, secure: false })
    }

    /// Asks one server after the other, and all of them again, as often as resolv.conf(5) wants. What one of them says
    /// counts more than the silence of others.
    fn look_up(&self, name: &str, kind: Kind, end: Instant) -> Result<Reply, Answer> {
        let first = self.turn.as_ref().map_or(0, |it| it.fetch_add(1, Ordering::Relaxed));
        let mut trouble = None;
        for _ in 0..self.attempts {
            for at in 0..self.servers.len() {
                let server = self.servers[first.wrapping_add(at) % self.servers.len()];
                let left = end.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Err(silence(name, kind, trouble));
                }
                let until = Instant::now() + left.min(self.timeout);
                match self.ask_one(server, name, kind, until) {
                    Ok(reply) => match reply.trouble() {
                        Some(code) => trouble = Some(format!("{server}: {code}")),
                        None => return Ok(reply),
                    },
                    Err(error) if is_late(&error) => {}
                    Err(error) => trouble = Some(format!("{server}: {}", words(&error))),
                }
            }
        }
        Err(silence(name, kind, trouble))
    }

    /// One server, and where it does not understand EDNS, the same again without.
    fn ask_one(
        &self,
        server: SocketAddr,
        name: &str,
        kind: Kind,
        until: Instant,
    ) -> io::Result<Reply> {
        let reply = self.exchange(server, &Query::new(name, kind, Edns::With)?, until)?;
        if !reply.dislikes_edns() {
            return Ok(reply);
        }
        self.exchange(server, &Query::new(name, kind, Edns::Without)?, until)
    }

    fn exchange(&self, server: SocketAddr, query: &Query, until: Instant) -> io::Result<Reply> {
        if self.transport == Transport::Udp {
            let reply = by_udp(server, query, until)?;
            if !reply.truncated {
                return Ok(reply);
            }
        }
        by_tcp(server, query, until)
    }
}

fn by_udp(server: SocketAddr, query: &Query, until: Instant) -> io::Result<Reply> {
    let here: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    // A port of the system's choice, which somebody else has to guess.
    let socket = UdpSocket::bind((here, 0))?;
    socket.connect(server)?;
    socket.send(query.bytes())?;
    let mut buffer = vec![0; LONGEST];
    loop {
        socket.set_read_timeout(Some(left(until)?))?;
        let length = match socket.recv(&mut buffer) {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        // Others are for somebody else, or from somebody else.
        if let Some(reply) = query.read(&buffer[..length]) {
            return Ok(reply);
        }
    }
}

fn by_tcp(server: SocketAddr, query: &Query, until: Instant) -> io::Result<Reply> {
    // A server that sends a byte now and then must not hold us.
    let mut stream = Timed::connect(server, None, left(until)?, until, 2 + LONGEST)?;
    let length = u16::try_from(query.bytes().len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), query.bytes()].concat())?;
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut bytes)?;
    query.read(&bytes).ok_or_else(|| io::Error::other("the reply belongs to another query"))
}

fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// What it means that no server has an answer: `trouble` is the last thing that one said.
fn silence(name: &str, kind: Kind, trouble: Option<String>) -> Answer {
    match trouble {
        Some(trouble) => Answer::Failed(format!("asked for {kind} of {name}: {trouble}")),
        None => Answer::Late(format!("asked for {kind} of {name}: no answer in time")),
    }
}

fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}

fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the connection ended".to_owned(),
        _ => error.to_string(),
    }
}
