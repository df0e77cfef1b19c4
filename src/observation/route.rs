//! How Postfix comes from a next-hop destination to the addresses of servers (`smtp/smtp_connect.c`,
//! `smtp/smtp_addr.c`).

use std::net::SocketAddr;

use super::Looked;
use super::dns::Tlsa;
use super::session::Session;

/// The way to a destination's servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// How the hosts were found.
    pub by: By,
    /// The hosts in the order in which Postfix tries them; of those of one preference, which it shuffles, in
    /// the order of their names.
    pub servers: Vec<Server>,
}

/// How hosts are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// By the domain's MX records; `secure`: the resolver validated them with DNSSEC (AD).
    Exchangers {
        /// AD in the answer.
        secure: bool,
    },
    /// The domain has no MX records and is a host itself; `secure`: that there are none was validated.
    Implicit {
        /// AD in the answer.
        secure: bool,
    },
    /// It is written in brackets: no MX records are asked for.
    Brackets,
    /// By the system's own lookups, which have no MX records: `smtp_dns_support_level = disabled`.
    Native,
}

/// Why there are no servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoRoute {
    /// The destination is none that the client takes; it exits with these words.
    Malformed(&'static str),
    /// A UNIX-domain socket or another place that is not in a network.
    NotNetwork,
    /// There is no such domain or host, or what DNS says of it can never be used: mail bounces.
    NotFound(String),
    /// The way leads back to this host: mail bounces.
    Loops(String),
    /// The way leads back to this host, and `best_mx_transport` says who takes the mail.
    HandedOn(String),
    /// `MX 0 .`: the domain takes no mail, and mail for it bounces (RFC 7505).
    NullMx,
    /// The resolver could not say: mail is deferred.
    Failed(String),
}

/// A host that takes mail for the destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name, or the address that stands in its place, without a final dot.
    pub name: String,
    /// The preference of its MX record; `None` where it was not found by one.
    pub preference: Option<u16>,
    /// The name that its CNAME records lead to, where it has some.
    pub canonical: Option<String>,
    /// Whether the resolver validated its addresses with DNSSEC (AD).
    pub secure: bool,
    /// Its TLSA records, at the name where Postfix looks for them.
    pub tlsa: Looked<Tlsa>,
    /// Its addresses in the order in which Postfix tries them; those of a kind that `inet_protocols` rules out
    /// are not there. Where `smtp_address_preference` names a kind, those of that kind come before the others
    /// of all hosts of one preference.
    pub addresses: Vec<Address>,
    /// Why it has none, for people.
    pub trouble: Option<String>,
}

/// One address of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Where the connection went.
    pub socket: SocketAddr,
    /// What was seen there.
    pub seen: Seen,
}

/// What came of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It was made, and this was said.
    Session(Box<Session>),
    /// It could not be made, in the words of the system.
    Unreachable(String),
    /// None was made; why, for people.
    NotTried(&'static str),
}
