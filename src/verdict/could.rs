//! The strictest policy that everything that was seen would satisfy today.

use std::collections::BTreeSet;

use super::judge::sessions;
use super::{Could, Subject, dane, names, proof};
use crate::certificate::store::is_strong;
use crate::observation::Observation;
use crate::observation::route::{By, Route, Seen, Server};
use crate::observation::session::{Said, Session, Starttls, Tls, TlsFailure};
use crate::policy::row::is_hostname;
use crate::policy::session::Records;
use crate::postfix::{Protocols, SecurityLevel};

/// More names than a person wants to read in a row.
const MANY: usize = 8;

/// The policy; `None`: no server said whether it does TLS.
pub(super) fn could(
    subject: &Subject<'_>,
    observation: &Observation,
    route: &Route,
) -> Option<Could> {
    let greeted = observation.addresses().filter_map(|(server, address)| match &address.seen {
        Seen::Session(session) if is_greeted(session) => Some((server, session)),
        Seen::Session(_) | Seen::Unreachable(_) | Seen::NotTried(_) => None,
    });
    let mut some = false;
    for (server, session) in greeted {
        some = true;
        let name = &server.name;
        let text = match &session.tls {
            Some(Ok(tls)) if is_mandatory(subject, tls) => continue,
            Some(Ok(tls)) => {
                format!("{name} does {}, which mandatory levels do not take", tls.protocol)
            }
            Some(Err(_)) | None => format!("{name} does no TLS"),
        };
        return Some(Could { policy: "may".to_owned(), text });
    }
    if !some {
        return None;
    }
    if !sessions(observation).all(|(_, tls)| is_strong_enough(tls)) {
        let text = "all do TLS, and a key or signature is too weak for levels that authenticate";
        return Some(Could { policy: "encrypt".to_owned(), text: text.to_owned() });
    }
    Some(
        by_tlsa(subject, observation, route)
            .or_else(|| by_names(subject, observation))
            .or_else(|| by_key(subject, observation))
            .unwrap_or_else(|| Could {
                policy: "encrypt".to_owned(),
                text: "all do TLS, and nobody who is trusted signed for all of them".to_owned(),
            }),
    )
}

/// Whether the server speaks with us: of others nothing is known.
fn is_greeted(session: &Session) -> bool {
    let is_good = |said: &Option<Said>| match said {
        Some(Said::Reply(reply)) => reply.code / 100 == 2,
        Some(Said::Nothing(_)) => false,
        None => true,
    };
    let is_known = match &session.starttls {
        Starttls::Refused(Said::Nothing(_)) => false,
        Starttls::Refused(Said::Reply(reply)) => reply.code != 421,
        Starttls::Wrapper
        | Starttls::NotReached
        | Starttls::NotOffered
        | Starttls::Offered
        | Starttls::Accepted
        | Starttls::Injected => true,
    };
    let is_seen = match &session.tls {
        // Postfix gets on with what we cannot read.
        Some(Err(TlsFailure::Timeout | TlsFailure::Settings(_) | TlsFailure::Unreadable(_))) => {
            false
        }
        Some(Ok(_) | Err(TlsFailure::Handshake(_) | TlsFailure::Closed)) | None => true,
    };
    let is_answered = is_good(&session.greeting) && is_good(&session.hello);
    is_answered && is_good(&session.hello_in_tls) && is_known && is_seen
}

/// Whether levels above may take a session of this protocol.
fn is_mandatory(subject: &Subject<'_>, tls: &Tls) -> bool {
    let list = &subject.client.mandatory_protocols;
    let Ok(protocols) = Protocols::parse(list.as_bytes(), subject.client.version) else {
        return false;
    };
    protocols.offered().any(|it| it.name() == tls.protocol)
}

/// Whether OpenSSL takes what it shows where a server has to prove itself.
fn is_strong_enough(tls: &Tls) -> bool {
    tls.chain.iter().all(|it| {
        let is_root = it.is_self_issued();
        is_strong(it.public_key()) != Some(false) && (is_root || it.weak_digest.is_none())
    })
}

fn by_tlsa(subject: &Subject<'_>, observation: &Observation, route: &Route) -> Option<Could> {
    let is_secure = match route.by {
        By::Exchangers { secure } | By::Implicit { secure } => secure,
        By::Brackets => true,
        By::Native => false,
    };
    if !is_secure || subject.client.no_dane.is_some() {
        return None;
    }
    let is_met = |server: &Server, tls: &Tls| {
        let Some(tlsa) = server.tlsa.found().filter(|it| it.secure) else { return false };
        let names = proof::tlsa_names(subject, server, tlsa);
        let (digests, terms) = (&subject.parameters.dane_digests, proof::tlsa_terms(subject));
        let version = subject.client.version;
        dane::matched(&tlsa.records, digests, &tls.chain, &names, &terms, version).is_ok()
    };
    let all = observation.addresses().all(|(server, address)| match &address.seen {
        Seen::Session(session) => {
            session.tls.as_ref().is_some_and(|it| it.as_ref().is_ok_and(|it| is_met(server, it)))
        }
        // The records say enough of a host that does not answer.
        Seen::Unreachable(_) | Seen::NotTried(_) => subject.records(server) == Records::Usable,
    });
    all.then(|| Could {
        policy: "dane-only".to_owned(),
        text: "all hosts have validated TLSA records, and those that answer match them".to_owned(),
    })
}

/// By the names of the destination, else of its hosts, else by whatever names trusted authorities signed for.
fn by_names(subject: &Subject<'_>, observation: &Observation) -> Option<Could> {
    if !sessions(observation).all(|(_, tls)| is_trusted(tls)) {
        return None;
    }
    let whose = if sessions(observation).all(|(_, tls)| tls.trusted.is_ok()) {
        "authorities that the policy trusts"
    } else {
        "the system's authorities (smtp_tls_CAfile has to name them)"
    };
    let is_good = |patterns: &[String]| are_good(subject, observation, patterns);
    let usual = subject.client.names(Some(SecurityLevel::Secure));
    let usual: Vec<String> = usual.map(|it| String::from_utf8_lossy(it).into_owned()).collect();
    if is_good(&usual) {
        let text = format!("{whose} signed certificates for {}", subject.nexthop);
        return Some(Could { policy: "secure".to_owned(), text });
    }
    let hosts: BTreeSet<String> =
        sessions(observation).map(|(host, _)| host.to_ascii_lowercase()).collect();
    let hosts: Vec<String> = hosts.into_iter().collect();
    if hosts.len() <= MANY && hosts.iter().all(|it| is_name(it)) && is_good(&hosts) {
        let text = format!(
            "{whose} signed certificates for its hosts as its MX records name them today; ask the \
             other side whether these are its servers"
        );
        return Some(Could { policy: format!("secure match={}", hosts.join(":")), text });
    }
    let mut names = BTreeSet::new();
    for (_, tls) in sessions(observation) {
        let all = tls.chain.first()?.names.iter();
        // One for each server is enough.
        let name = all.filter(|it| is_name(it)).map(|it| it.to_ascii_lowercase()).min()?;
        names.insert(name);
    }
    let names: Vec<String> = names.into_iter().collect();
    if names.len() > MANY || !is_good(&names) {
        return None;
    }
    let text = "trusted authorities signed certificates for other names than its own; ask the \
                other side whether these are its servers";
    Some(Could { policy: format!("secure match={}", names.join(":")), text: text.to_owned() })
}

/// Whether each server has a name that these patterns take.
fn are_good(subject: &Subject<'_>, observation: &Observation, patterns: &[String]) -> bool {
    let (nexthop, version) = (subject.nexthop, subject.client.version);
    sessions(observation).all(|(host, tls)| {
        let leaf = tls.chain.first();
        leaf.is_some_and(|it| names::accepted(it, patterns, nexthop, host, version).is_some())
    })
}

/// Whether it can stand in `match=`: what a certificate has as names may be anything.
fn is_name(text: &str) -> bool {
    is_hostname(text.as_bytes()) && text.contains('.')
}

/// Whether somebody signed whom the policy or this system trusts.
fn is_trusted(tls: &Tls) -> bool {
    tls.trusted.is_ok() || tls.trusted_by_system.as_ref().is_some_and(Result::is_ok)
}

/// By their keys: of servers that nobody signed for, and that therefore rarely change them.
fn by_key(subject: &Subject<'_>, observation: &Observation) -> Option<Could> {
    let digest = subject.client.known_digest()?;
    let is_public = |tls: &Tls| tls.trusted_by_system.as_ref().is_some_and(Result::is_ok);
    if sessions(observation).any(|(_, tls)| is_public(tls)) {
        return None;
    }
    // The last one is the key's.
    let keys = sessions(observation).filter_map(|(_, tls)| proof::shown(Some(digest), tls).pop());
    let keys: BTreeSet<String> = keys.map(|it| it.to_string()).collect();
    if keys.is_empty() || keys.len() > MANY {
        return None;
    }
    let keys: Vec<String> = keys.into_iter().collect();
    let text = "the keys that it has today; compare them by other means before they are pinned";
    let policy = format!("fingerprint match={}", keys.join("|"));
    Some(Could { policy, text: text.to_owned() })
}
