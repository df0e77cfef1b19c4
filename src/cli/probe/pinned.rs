//! `postls probe --pin`: what a server shows becomes a pin in the policy file.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Probe;
use crate::certificate::{Certificate, fingerprint};
use crate::cli::load::PolicyFile;
use crate::cli::pin::{self, Add};
use crate::cli::{Common, FOUND, Outcome, Stop};
use crate::observation::route::Seen;
use crate::observation::session::Tls;
use crate::policy::Date;
use crate::postfix::{Digest, Fingerprint};
use crate::report::human::printable;
use crate::report::probe::Probed;

/// Takes the key of the destination, if all of its addresses that show one show the same, and it is the one that is
/// expected.
pub(super) fn take(
    probe: &Probe,
    common: &Common,
    probed: &Probed,
    digest: Option<Digest>,
    policy: Option<&PolicyFile>,
) -> Result<Outcome, Stop> {
    let Some(digest) = digest else {
        return Err(Stop("the fingerprint digest in force is none that postls knows".to_owned()));
    };
    let name = printable(&probed.answered.destination);
    let shown: Vec<(String, &Tls)> = shown(probed).collect();
    let mut keys: BTreeMap<Fingerprint, Vec<usize>> = BTreeMap::new();
    for (at, (_, tls)) in shown.iter().enumerate() {
        if let Some(key) = tls.public_key() {
            keys.entry(fingerprint(digest, key)).or_default().push(at);
        }
    }
    let mut said = format!("{name} shows now:\n");
    for (key, at) in &keys {
        let (_, tls) = &shown[at[0]];
        let places: Vec<&str> = at.iter().map(|it| shown[*it].0.as_str()).collect();
        let dates = tls.chain.first().map(dates).unwrap_or_default();
        let _ = writeln!(said, "  key {digest} {key}{dates}\n    at {}", places.join(", "));
    }
    let all = probed.observation.addresses();
    for ((server, address), judged) in all.zip(&probed.judgement.addresses) {
        if tls_of(&address.seen).is_none() {
            let (name, ip) = (printable(&server.name), address.socket.ip());
            let _ = writeln!(said, "  nothing at {name} [{ip}]: {}", printable(&judged.why.text));
        }
    }
    let pins = probed.answered.policy.fingerprints.as_ref();
    for (at, pin) in pins.iter().flat_map(|it| &it.value).enumerate() {
        let dates = dates_of(pin, &probed.answered.destination, policy).unwrap_or_default();
        let _ = writeln!(said, "  pin {} in force: {}{dates}", at + 1, printable(pin));
    }
    let stop = |why: &str| {
        let output = format!("{said}{why}; nothing was changed\n").into_bytes();
        Ok(Outcome { output, status: FOUND })
    };
    let [(key, at)] = keys.iter().collect::<Vec<_>>()[..] else {
        return stop(if keys.is_empty() {
            "none of its addresses shows a key"
        } else {
            "its addresses show different keys; add them one by one with postls pin add"
        });
    };
    let tls = shown[at[0]].1;
    let note = match &probe.expect {
        Some(expected) if is_it(expected, tls) => "seen by postls probe, as expected",
        Some(_) => return stop("that is not what was expected"),
        None => "seen by postls probe; not compared by other means",
    };
    let nexthop = pin::nexthop(&probed.answered.destination).map_err(Stop)?;
    let added = Add::of_key(nexthop, key.clone(), note.to_owned());
    let outcome = added.run(common, probe.policy.as_deref())?;
    let output = [said.into_bytes(), outcome.output].concat();
    Ok(Outcome { output, ..outcome })
}

/// The sessions, each with its place.
fn shown(probed: &Probed) -> impl Iterator<Item = (String, &Tls)> {
    probed.observation.addresses().filter_map(|(server, address)| {
        let place = format!("{} [{}]", printable(&server.name), address.socket.ip());
        Some((place, tls_of(&address.seen)?))
    })
}

fn tls_of(seen: &Seen) -> Option<&Tls> {
    match seen {
        Seen::Session(session) => session.tls.as_ref()?.as_ref().ok(),
        Seen::Unreachable(_) | Seen::NotTried(_) => None,
    }
}

/// Whether this is a fingerprint, in any digest, of the key or of the certificate.
fn is_it(expected: &Fingerprint, tls: &Tls) -> bool {
    let Some(digest) = expected.digest() else { return false };
    tls.chain.first().is_some_and(|it| {
        [it.der(), it.public_key()].map(|it| fingerprint(digest, it)).contains(expected)
    })
}

/// The dates of a pin's certificate, where the policy file has the pin from a file with one.
fn dates_of(text: &str, destination: &str, policy: Option<&PolicyFile>) -> Option<String> {
    let fingerprint = Fingerprint::parse(text.as_bytes())?;
    let mut all = policy?.policies.destinations.iter();
    let entry = all.find(|it| it.nexthop.value.as_str().eq_ignore_ascii_case(destination))?;
    let pin = entry.policy.pins.iter().flat_map(|it| it.iter());
    let pin = pin.filter(|it| it.fingerprints().any(|it| it == fingerprint));
    pin.filter_map(|it| it.subject()?.certificate()).map(dates).next()
}

fn dates(certificate: &Certificate) -> String {
    let day = |second| Date::of_second(second).map(|it| it.to_string()).unwrap_or_default();
    let (from, to) = (day(certificate.not_before), day(certificate.not_after));
    format!(", certificate from {from} to {to}")
}
