//! The way to servers, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::Looked;
use super::dns::{self, Tlsa};
use super::judged::{self, Test, VerdictWord, Why};
use super::looked;
use super::session::{self, Session};
use crate::observation::Observation;
use crate::observation::route::{self, NoRoute, Seen};
use crate::verdict::{AddressJudgement, Judgement};

/// The way to a destination's servers.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "route")]
pub(super) struct Route<'a> {
    /// How the servers were found; null: there are none.
    by: Option<By>,
    /// Whether the resolver validated the MX records, or that there are none, with DNSSEC; null: nobody asked for
    /// some.
    secure: Option<bool>,
    /// The servers in the order in which Postfix tries them.
    servers: Vec<Server<'a>>,
    /// Why there are none; null: there are some.
    failure: Option<Failure<'a>>,
}

/// How hosts are found.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "by")]
enum By {
    /// By the domain's MX records.
    Mx,
    /// The domain has no MX records and is a host itself.
    Implicit,
    /// It is written in brackets: no MX records are asked for.
    Brackets,
    /// By the system's host lookup, which has no MX records.
    Native,
}

/// Why there are no servers.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "no-route")]
struct Failure<'a> {
    /// Of what kind it is.
    kind: FailureKind,
    /// More about it; null where there is nothing to say.
    text: Option<&'a str>,
}

/// Why there are no servers.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "no-route-kind")]
enum FailureKind {
    /// The destination is none that Postfix takes.
    Malformed,
    /// A place that is not in a network.
    NotNetwork,
    /// There is no such domain or host.
    NotFound,
    /// The way leads back to this host.
    Loops,
    /// This client gives the mail to another transport.
    HandedOn,
    /// The domain takes no mail (RFC 7505).
    NullMx,
    /// The resolver could not say.
    Failed,
}

/// A host that takes mail for the destination.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "server")]
struct Server<'a> {
    /// Its name, or the address that stands in its place.
    name: &'a str,
    /// The preference of its MX record; null where it was not found by one.
    preference: Option<u16>,
    /// The name that its CNAME records lead to; null: it has none.
    canonical: Option<&'a str>,
    /// Whether the resolver validated its addresses with DNSSEC.
    secure: bool,
    /// Its TLSA records.
    tlsa: Looked<'a, Tlsa<'a>>,
    /// Why it has no addresses; null: it has some.
    trouble: Option<&'a str>,
    /// Its addresses in the order in which Postfix tries them.
    addresses: Vec<Endpoint<'a>>,
}

/// One address of a server.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "address")]
struct Endpoint<'a> {
    /// The address.
    address: String,
    /// The port.
    port: u16,
    /// What becomes of mail there; null: nobody judged it.
    verdict: Option<VerdictWord>,
    /// Why; null: nobody judged it.
    reason: Option<Why<'a>>,
    /// Each thing that was looked at, in the order in which a connection meets them.
    tests: Vec<Test<'a>>,
    /// What the server said; null: there was no connection.
    session: Option<Session<'a>>,
    /// Why no connection could be made, in the words of the system; null otherwise.
    unreachable: Option<&'a str>,
    /// Why none was tried; null otherwise.
    not_tried: Option<&'a str>,
}

pub(super) fn route<'a>(seen: &'a Observation, judgement: &'a Judgement, today: u64) -> Route<'a> {
    let found = match &seen.route {
        Ok(route) => route,
        Err(why) => return nowhere(why),
    };
    let (by, secure) = match found.by {
        route::By::Exchangers { secure } => (By::Mx, Some(secure)),
        route::By::Implicit { secure } => (By::Implicit, Some(secure)),
        route::By::Brackets => (By::Brackets, None),
        route::By::Native => (By::Native, None),
    };
    let mut judged = judgement.addresses.iter();
    let servers = found.servers.iter().map(|it| Server {
        name: &it.name,
        preference: it.preference,
        canonical: it.canonical.as_deref(),
        secure: it.secure,
        tlsa: looked(&it.tlsa, dns::tlsa),
        trouble: it.trouble.as_deref(),
        addresses: it.addresses.iter().map(|it| address(it, judged.next(), today)).collect(),
    });
    let servers = servers.collect();
    Route { by: Some(by), secure, servers, failure: None }
}

fn nowhere(why: &NoRoute) -> Route<'_> {
    let (kind, text) = match why {
        NoRoute::Malformed(why) => (FailureKind::Malformed, Some(*why)),
        NoRoute::NotNetwork => (FailureKind::NotNetwork, None),
        NoRoute::NotFound(why) => (FailureKind::NotFound, Some(why.as_str())),
        NoRoute::Loops(why) => (FailureKind::Loops, Some(why.as_str())),
        NoRoute::HandedOn(why) => (FailureKind::HandedOn, Some(why.as_str())),
        NoRoute::NullMx => (FailureKind::NullMx, None),
        NoRoute::Failed(why) => (FailureKind::Failed, Some(why.as_str())),
    };
    Route { by: None, secure: None, servers: Vec::new(), failure: Some(Failure { kind, text }) }
}

fn address<'a>(
    it: &'a route::Address,
    judged: Option<&'a AddressJudgement>,
    today: u64,
) -> Endpoint<'a> {
    let (session, unreachable, not_tried) = match &it.seen {
        Seen::Session(it) => (Some(session::session(it, today)), None, None),
        Seen::Unreachable(why) => (None, Some(why.as_str()), None),
        Seen::NotTried(why) => (None, None, Some(*why)),
    };
    Endpoint {
        address: it.socket.ip().to_string(),
        port: it.socket.port(),
        verdict: judged.map(|it| judged::verdict(it.verdict)),
        reason: judged.map(|it| judged::why(&it.why)),
        tests: judged.iter().flat_map(|it| &it.tests).map(judged::test).collect(),
        session,
        unreachable,
        not_tried,
    }
}
