//! The way from a next-hop destination to the addresses of servers, as smtp(8) and lmtp(8) go it
//! (`smtp/smtp_connect.c`, `smtp/smtp_addr.c`).
//!
//! A host that is not found is passed over while others are; why is said at its place. Where nothing is found, a reason
//! that may pass counts more than all that do not, and mail waits; else it bounces, but never if the destination is relayhost.
//!
//! DNS is asked for validated answers whatever `smtp_dns_support_level` says: what is seen are facts, and whether the
//! policy in force uses them is another question.
//!
//! Known limits: what SRV records say (`use_srv_lookup`) is not looked at, nor `smtp_dns_reply_filter`. Names in
//! inet_interfaces are looked up in hosts(5) alone. A destination that is a list has to be taken apart before.

mod find;
mod order;
mod settings;
mod tlsa;

use std::time::Instant;

pub use order::{BEYOND_LIMIT, ENOUGH, WAITING};
pub use settings::{Host, HostLookup, Preference, RouteSettings};
pub use tlsa::Dane;

use crate::config::{Destination, Lookup};
use crate::observation::Looked;
use crate::observation::route::{By, NoRoute, Route, Server};
use crate::policy::row::is_hostname;
use crate::probe::dns::{Answer, Data, Found, Kind, RECORDS, Resolver};
use find::{Finder, Trouble};

/// Looks up the servers of a destination, in the order in which Postfix tries them. Nobody is connected to.
pub fn route(
    resolver: &Resolver,
    settings: &RouteSettings,
    destination: &str,
    dane: Dane,
) -> Result<Route, NoRoute> {
    let target = Target::of(settings, destination)?;
    let end = Instant::now() + settings.patience;
    let finder = Finder { resolver, settings, target: &target, end };
    let found = match target.by {
        // For people it is as good as a resolver that does not answer: what Postfix does is not known here.
        Way::Services => {
            return Err(NoRoute::Failed(format!(
                "use_srv_lookup has service {}, and SRV records are not looked at here",
                target.service
            )));
        }
        Way::Host(by) => host(&finder, &target.host, by),
        Way::Exchangers => exchangers(&finder),
    };
    let (by, mut servers) = found.map_err(|it| no_route(settings, destination, it))?;
    order::arrange(&mut servers, settings);
    for server in &mut servers {
        server.tlsa = tlsa::look_up(resolver, settings, server, target.port, dane, end);
        // Only now: TLSA records are looked for at the name of the MX record as well.
        if let Some(canonical) = server.canonical.as_ref().filter(|_| settings.cname_overrides) {
            server.name.clone_from(canonical);
        }
    }
    Ok(Route { by, servers })
}

/// A destination, taken apart.
struct Target {
    /// As DNS has it.
    host: String,
    service: String,
    port: u16,
    by: Way,
    /// Whether Postfix looks out for itself on this port.
    detects_loops: bool,
}

enum Way {
    Host(By),
    Exchangers,
    Services,
}

/// So many addresses there are of all hosts of a destination: Postfix 3.9 and later keep no more, and look up no host
/// behind them (`var_dns_rr_list_limit` in `dns/dns_rr.c`, `smtp_addr_list`). Older ones take them all.
const ADDRESSES: usize = RECORDS;

/// Why nothing was found.
enum Nowhere {
    NullMx,
    Loops(String),
    Trouble(Trouble),
}

impl Target {
    fn of(settings: &RouteSettings, destination: &str) -> Result<Target, NoRoute> {
        let is_smtp = settings.name == "smtp";
        let text = if is_smtp {
            destination
        } else {
            if destination.starts_with("unix:") {
                return Err(NoRoute::NotNetwork);
            }
            destination.strip_prefix("inet:").unwrap_or(destination)
        };
        let parsed = Destination::parse(text.as_bytes()).map_err(NoRoute::Malformed)?;
        let host = String::from_utf8_lossy(parsed.host).into_owned();
        let host = ascii(host, settings).map_err(NoRoute::Malformed)?;
        let (service, port) = settings.port(&parsed).map_err(NoRoute::Malformed)?;
        let by = match parsed.lookup {
            _ if !settings.dns => Way::Host(By::Native),
            Lookup::Host => Way::Host(By::Brackets),
            Lookup::Exchangers if settings.srv_services.contains(&service) => Way::Services,
            // lmtp(8) never asks for them: there is no difference to a host in brackets.
            Lookup::Exchangers if !is_smtp => Way::Host(By::Brackets),
            Lookup::Exchangers => Way::Exchangers,
        };
        Ok(Target { host, service, port, by, detects_loops: is_smtp && port == 25 })
    }
}

/// A name of other letters is one if smtputf8_enable says so, and is looked up in its ASCII form.
fn ascii(host: String, settings: &RouteSettings) -> Result<String, &'static str> {
    if host.is_ascii() {
        return Ok(host);
    }
    let ascii = Some(&host).filter(|_| settings.utf8).and_then(|it| idna::domain_to_ascii(it).ok());
    let ascii = ascii.filter(|it| is_hostname(it.as_bytes()));
    ascii.ok_or("valid hostname or network address required")
}

/// `smtp_domain_addr`
fn exchangers(finder: &Finder<'_>) -> Result<(By, Vec<Server>), Nowhere> {
    let domain = &finder.target.host;
    let trouble = match finder.ask(domain, Kind::Mx) {
        Answer::Found(found) => return by_exchangers(finder, found),
        Answer::Nothing(nothing) => {
            return host(finder, domain, By::Implicit { secure: nothing.secure });
        }
        Answer::NullMx => return Err(Nowhere::NullMx),
        Answer::Malformed(words) | Answer::Refused(words) => Trouble { words, passes: false },
        Answer::Failed(words) | Answer::Late(words) => Trouble { words, passes: true },
    };
    if finder.settings.ignore_mx_errors {
        return host(finder, domain, By::Implicit { secure: false });
    }
    Err(Nowhere::Trouble(trouble))
}

fn by_exchangers(finder: &Finder<'_>, found: Found) -> Result<(By, Vec<Server>), Nowhere> {
    let mut names: Vec<(u16, String)> = Vec::new();
    for record in found.records {
        match record {
            Data::Mx(preference, name) if !names.contains(&(preference, name.clone())) => {
                names.push((preference, name));
            }
            Data::Mx(..) | Data::Address(_) | Data::Tlsa(_) | Data::Txt(_) | Data::Name(_) => {}
        }
    }
    names.sort_by_key(|it| it.0);
    let mut trouble: Option<Trouble> = None;
    let mut servers = Vec::new();
    let mut left = ADDRESSES;
    for (preference, name) in &names {
        if left == 0 {
            let mut server = unknown(name, Some(*preference));
            let words = format!("not looked up: the hosts before it have {ADDRESSES} addresses");
            server.trouble = Some(words);
            servers.push(server);
            continue;
        }
        let (mut server, its) = finder.server(name, Some(*preference));
        if let Some(its) = its {
            trouble = Some(its.after(trouble));
        }
        server.addresses.truncate(left);
        left -= server.addresses.len();
        servers.push(server);
    }
    if servers.iter().all(|it| it.addresses.is_empty()) {
        let mut trouble = trouble.unwrap_or_else(|| Trouble::passing("no host has an address"));
        trouble.passes |= finder.settings.defer_without_address;
        trouble.words = format!("no MX host has an address: {}", trouble.words);
        return Err(Nowhere::Trouble(trouble));
    }
    let by = By::Exchangers { secure: found.secure };
    without_ourselves(finder, &mut servers)?;
    Ok((by, servers))
}

/// What is no better than this host itself is not tried (`smtp_find_self`, `smtp_truncate_self`).
fn without_ourselves(finder: &Finder<'_>, servers: &mut [Server]) -> Result<(), Nowhere> {
    let Some(own) = servers.iter().find(|it| finder.is_own(it)).and_then(|it| it.preference) else {
        return Ok(());
    };
    let is_better = |it: &Server| it.preference < Some(own);
    let domain = &finder.target.host;
    if !servers.iter().any(|it| is_better(it) && !it.addresses.is_empty()) {
        if servers.iter().any(is_better) {
            let words = format!("this host is an MX host of {domain}, and no better one is found");
            return Err(Nowhere::Trouble(Trouble::passing(&words)));
        }
        return Err(Nowhere::Loops(format!("the best MX host of {domain} is this host itself")));
    }
    for server in servers.iter_mut().filter(|it| !is_better(it)) {
        server.addresses.clear();
        let words = format!("not tried: this host is an MX host itself, with preference {own}");
        server.trouble = Some(words);
    }
    Ok(())
}

/// `smtp_host_addr`
fn host(finder: &Finder<'_>, name: &str, by: By) -> Result<(By, Vec<Server>), Nowhere> {
    let (server, trouble) = finder.server(name, None);
    if server.addresses.is_empty() {
        let trouble = trouble.unwrap_or_else(|| Trouble::passing("no address"));
        return Err(Nowhere::Trouble(trouble));
    }
    if finder.is_own(&server) {
        return Err(Nowhere::Loops(format!("{name} is this host itself")));
    }
    Ok((by, vec![server]))
}

/// What becomes of mail (the end of `smtp_connect_inet`).
fn no_route(settings: &RouteSettings, destination: &str, why: Nowhere) -> NoRoute {
    let waits = destination == settings.relayhost;
    let kept =
        |words: String| NoRoute::Failed(format!("{words}; mail waits, since it is relayhost"));
    match why {
        Nowhere::NullMx if waits => kept("it takes no mail".to_owned()),
        Nowhere::NullMx => NoRoute::NullMx,
        Nowhere::Loops(words) if waits => kept(words),
        Nowhere::Loops(words) if settings.best_mx_transport.is_empty() => NoRoute::Loops(words),
        Nowhere::Loops(words) => {
            let transport = &settings.best_mx_transport;
            NoRoute::HandedOn(format!("{words}; best_mx_transport gives the mail to {transport}"))
        }
        Nowhere::Trouble(trouble) if trouble.passes => NoRoute::Failed(trouble.words),
        Nowhere::Trouble(trouble) if waits => kept(trouble.words),
        Nowhere::Trouble(trouble) => NoRoute::NotFound(trouble.words),
    }
}

/// A server of which nothing is known yet.
fn unknown(name: &str, preference: Option<u16>) -> Server {
    Server {
        name: name.to_owned(),
        preference,
        canonical: None,
        secure: false,
        tlsa: Looked::NotAsked("nobody has looked yet"),
        addresses: Vec::new(),
        trouble: None,
    }
}
