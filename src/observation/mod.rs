//! What a probe saw of a destination: facts, in the order in which they were met. What they mean for a
//! policy is said elsewhere (`verdict`).
//!
//! `route` is how the servers were found, `session` what one of them said, `dns` what is published about
//! them. Whatever could not be seen says why: nothing is left out silently.

pub mod dns;
pub mod published;
pub mod route;
pub mod session;

use route::{Address, NoRoute, Route};

/// What a probe saw of one destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The next-hop destination, as Postfix has it.
    pub destination: String,
    /// When the probe began, in seconds since 1970-01-01 UTC.
    pub at: u64,
    /// The servers, in the order in which Postfix tries them, with what they said.
    pub route: Result<Route, NoRoute>,
    /// The MTA-STS policy of the domain (RFC 8461).
    pub sts: Looked<dns::Sts>,
    /// The texts at `_smtp._tls` of the domain (RFC 8460).
    pub tls_reports: Looked<Vec<String>>,
}

/// What came of looking for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looked<T> {
    /// This is there.
    Found(T),
    /// There is certainly nothing.
    Nothing,
    /// It could not be seen, and Postfix could not see it either; why, for people.
    Failed(String),
    /// Nobody answered as long as this probe waits, which says nothing of what Postfix sees; why, for people.
    Late(String),
    /// Nobody looked; why, for people.
    NotAsked(&'static str),
}

impl<T> Looked<T> {
    /// What is there, if anything was seen.
    pub fn found(&self) -> Option<&T> {
        match self {
            Looked::Found(it) => Some(it),
            Looked::Nothing | Looked::Failed(_) | Looked::Late(_) | Looked::NotAsked(_) => None,
        }
    }
}

impl Observation {
    /// All addresses of all hosts, in the order in which Postfix tries them.
    pub fn addresses(&self) -> impl Iterator<Item = (&route::Server, &Address)> {
        let servers = self.route.iter().flat_map(|it| &it.servers);
        servers.flat_map(|server| server.addresses.iter().map(move |address| (server, address)))
    }
}
