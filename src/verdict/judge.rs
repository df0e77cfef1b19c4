//! All addresses of a destination together.

use std::collections::BTreeSet;

use super::could::could;
use super::suggest::suggest;
use super::{AddressJudgement, Judgement, Reason, Subject, Verdict, Why, address, proof};
use crate::observation::dns::StsMode;
use crate::observation::published::mx_matches;
use crate::observation::route::{Address, NoRoute, Route, Seen, Server};
use crate::observation::session::{Starttls, Tls};
use crate::observation::{Looked, Observation};
use crate::policy::Date;
use crate::policy::outcome::Outcome;
use crate::policy::session::HostLevel;
use crate::postfix::SecurityLevel;

/// What an observation means under the policy of its destination.
pub fn judge(subject: &Subject<'_>, observation: &Observation) -> Judgement {
    let route = match &observation.route {
        Ok(route) => route,
        Err(none) => return without_route(subject, observation, none),
    };
    let addresses: Vec<AddressJudgement> = observation
        .addresses()
        .map(|(server, address)| address::judge(subject, route.by, server, address))
        .collect();
    let (verdict, why) = overall(subject, route, &addresses);
    let mut notes = partly(observation, verdict, &addresses);
    notes.extend(fallback(subject, observation, verdict));
    notes.extend(injected(observation));
    notes.extend(ends(subject, observation));
    notes.extend(unseen_pins(subject, observation));
    notes.extend(sts(subject, observation, route));
    let could = could(subject, observation, route);
    let suggestion = suggest(subject, observation, &why, verdict, could.as_ref());
    Judgement { verdict, why, addresses, notes, could, suggestion }
}

fn without_route(subject: &Subject<'_>, observation: &Observation, none: &NoRoute) -> Judgement {
    let (verdict, reason, text) = match none {
        NoRoute::Malformed(why) => {
            (Verdict::WouldDefer, Reason::DestinationMalformed, (*why).to_owned())
        }
        NoRoute::NotNetwork => {
            (Verdict::Unknown, Reason::NotTried, "it is not in a network".to_owned())
        }
        NoRoute::NotFound(why) => (Verdict::WouldDefer, Reason::NoSuchDomain, why.clone()),
        NoRoute::Loops(why) => (Verdict::WouldDefer, Reason::MailLoops, why.clone()),
        NoRoute::HandedOn(why) => (Verdict::Unknown, Reason::NotTried, why.clone()),
        NoRoute::NullMx => {
            let text = "it takes no mail (null MX): mail comes back at once";
            (Verdict::WouldDefer, Reason::NoSuchDomain, text.to_owned())
        }
        NoRoute::Failed(why) => (Verdict::Unknown, Reason::DnsFailed, why.clone()),
    };
    // Where mail goes round in circles, or the client dies, it goes nowhere else either.
    let goes_on = matches!(none, NoRoute::NotFound(_) | NoRoute::NullMx | NoRoute::Failed(_));
    let (verdict, why) = held(subject).unwrap_or((verdict, Why { reason, text }));
    let notes = fallback(subject, observation, verdict).into_iter().filter(|_| goes_on).collect();
    let addresses = Vec::new();
    Judgement { verdict, why, addresses, notes, could: None, suggestion: None }
}

/// What is so whatever the servers do.
fn held(subject: &Subject<'_>) -> Option<(Verdict, Why)> {
    if let Some(why) = subject.undecided {
        let text = format!("which policy holds only a running Postfix knows: {why}");
        return Some((Verdict::Unknown, Why { reason: Reason::NotTried, text }));
    }
    let why = Why { reason: Reason::PolicyDefers, text: subject.policy.reason.clone() };
    (subject.policy.outcome == Outcome::Deferred).then_some((Verdict::WouldDefer, why))
}

fn overall(subject: &Subject<'_>, route: &Route, addresses: &[AddressJudgement]) -> (Verdict, Why) {
    if let Some(held) = held(subject) {
        return held;
    }
    let delivering = addresses.iter().filter(|it| it.verdict.delivers());
    // Mail may take any of them.
    let weakest = delivering.max_by_key(|it| it.verdict);
    let waiting = || addresses.iter().find(|it| it.verdict == Verdict::WouldDefer);
    match weakest.or_else(waiting).or(addresses.first()) {
        Some(it) => (it.verdict, it.why.clone()),
        None => {
            let trouble = route.servers.iter().find_map(|it| it.trouble.clone());
            let text = trouble.unwrap_or_else(|| "no server has an address".to_owned());
            (Verdict::Unknown, Why { reason: Reason::DnsFailed, text })
        }
    }
}

/// Who gets the mail instead (`smtp_connect_inet`): each relay is one more destination, with a policy of its own.
fn fallback(subject: &Subject<'_>, observation: &Observation, verdict: Verdict) -> Option<Why> {
    let relay = subject.fallback_relay;
    let text = || {
        let name = subject.client.name;
        format!("{name}_fallback_relay gets the mail instead, under the policy for {relay}")
    };
    let is_needed = !verdict.delivers() && !relay.is_empty() && relay != observation.destination;
    is_needed.then(|| Why { reason: Reason::FallbackRelay, text: text() })
}

/// Addresses that would not do while the destination does.
fn partly(observation: &Observation, verdict: Verdict, addresses: &[AddressJudgement]) -> Vec<Why> {
    if !verdict.delivers() {
        return Vec::new();
    }
    let waiting =
        observation.addresses().zip(addresses).filter(|(_, it)| it.verdict == Verdict::WouldDefer);
    waiting
        .map(|((server, address), it)| {
            let (name, ip, why) = (&server.name, address.socket.ip(), &it.why);
            let text = format!("{name} [{ip}]: {}: {}", why.reason.id(), why.text);
            Why { reason: Reason::AddressWouldDefer, text }
        })
        .collect()
}

/// Servers behind whose reply to STARTTLS was more.
fn injected(observation: &Observation) -> Vec<Why> {
    let is_injected = |seen: &Seen| match seen {
        Seen::Session(session) => session.starttls == Starttls::Injected,
        Seen::Unreachable(_) | Seen::NotTried(_) => false,
    };
    let found = observation.addresses().filter(|(_, address)| is_injected(&address.seen));
    let note = |(server, address): (&Server, &Address)| {
        let (name, ip) = (&server.name, address.socket.ip());
        let text = format!("{name} [{ip}] sent more behind its reply to STARTTLS, in the clear");
        Why { reason: Reason::StarttlsInjection, text }
    };
    found.map(note).collect()
}

/// The established sessions, with the server's name.
pub(super) fn sessions(observation: &Observation) -> impl Iterator<Item = (&str, &Tls)> {
    observation.addresses().filter_map(|(server, address)| match &address.seen {
        Seen::Session(session) => {
            let tls = session.tls.as_ref()?.as_ref().ok()?;
            Some((server.name.as_str(), tls))
        }
        Seen::Unreachable(_) | Seen::NotTried(_) => None,
    })
}

/// Certificates that end soon, each once. Those that must not have ended are a reason already when they have.
fn ends(subject: &Subject<'_>, observation: &Observation) -> Vec<Why> {
    let mut seen = BTreeSet::new();
    let mut notes = Vec::new();
    for (server, tls) in sessions(observation) {
        for certificate in &tls.chain {
            let left = proof::days(subject.at, certificate.not_after);
            if left >= subject.expires_within || !seen.insert(certificate.der()) {
                continue;
            }
            let day = Date::of_second(certificate.not_after);
            let day = day.map(|it| it.to_string()).unwrap_or_default();
            let when = if certificate.not_after < subject.at {
                format!("ended {day}")
            } else {
                format!("ends {day}, in {left} days")
            };
            let text = format!("{server}: the certificate of {} {when}", certificate.subject);
            notes.push(Why { reason: Reason::CertificateExpiresSoon, text });
        }
    }
    notes
}

/// Pins that no address shows, where some pin is shown.
fn unseen_pins(subject: &Subject<'_>, observation: &Observation) -> Vec<Why> {
    let Some(pins) = &subject.policy.fingerprints else { return Vec::new() };
    let digest = subject.client.known_digest();
    let shown: Vec<_> =
        sessions(observation).flat_map(|(_, tls)| proof::shown(digest, tls)).collect();
    if shown.is_empty() {
        return Vec::new();
    }
    let is_seen = |pin: &&String| {
        let pin = crate::policy::matching::pin(pin.as_bytes(), subject.client);
        pin.is_ok_and(|it| shown.contains(&it))
    };
    if !pins.value.iter().any(|it| is_seen(&it)) {
        return Vec::new();
    }
    let unseen = pins.value.iter().enumerate().filter(|(_, pin)| !is_seen(pin));
    unseen
        .map(|(at, pin)| {
            let text = format!("no address shows pin {}, {pin}", at + 1);
            Why { reason: Reason::PinNotSeen, text }
        })
        .collect()
}

/// Where the domain's MTA-STS policy asks for more than ours, or names other hosts than its MX records.
fn sts(subject: &Subject<'_>, observation: &Observation, route: &Route) -> Vec<Why> {
    let Looked::Found(sts) = &observation.sts else { return Vec::new() };
    let note = |text: String| Why { reason: Reason::StsConflict, text };
    let policy = match &sts.policy {
        Ok(policy) => policy,
        Err(why) => return vec![note(format!("an MTA-STS policy is announced, and {why}"))],
    };
    if policy.mode == StsMode::None {
        return Vec::new();
    }
    let mut notes = Vec::new();
    for server in route.servers.iter().filter(|it| it.preference.is_some()) {
        if !policy.mx.iter().any(|it| mx_matches(it, &server.name)) {
            notes.push(note(format!("{} is none of the hosts that MTA-STS names", server.name)));
        }
    }
    let is_weaker = match subject.policy.level.as_ref().map(|it| it.value) {
        Some(SecurityLevel::None | SecurityLevel::May | SecurityLevel::Encrypt) => true,
        Some(SecurityLevel::Dane) => route
            .servers
            .iter()
            .any(|it| matches!(subject.level_at(route.by, it), HostLevel::Level(_))),
        Some(
            SecurityLevel::DaneOnly
            | SecurityLevel::Fingerprint
            | SecurityLevel::Verify
            | SecurityLevel::Secure,
        )
        | None => false,
    };
    if policy.mode == StsMode::Enforce && is_weaker {
        let text = "the domain asks for verified certificates (MTA-STS, mode enforce), and the \
                    policy in force does not look at them";
        notes.push(note(text.to_owned()));
    }
    notes
}
