//! What a server proved in TLS, and whether that is what the level asks for (`tls/tls_client.c`,
//! `tls/tls_verify.c`, `tls/tls_fprint.c`).

use super::dane::{self, Mismatch};
use super::names;
use super::{Reason, Subject, Test, TestResult, Verdict, Why};
use crate::certificate::store::{Terms, is_strong};
use crate::certificate::{Certificate, fingerprint};
use crate::observation::dns::Tlsa;
use crate::observation::route::Server;
use crate::observation::session::{NotTrusted, Tls};
use crate::policy::Date;
use crate::policy::matching::pin;
use crate::policy::session::{self, HostLevel};
use crate::postfix::{Digest, Fingerprint, SecurityLevel, Version};

/// What came of it.
pub(super) struct Proof {
    pub(super) tests: Vec<Test>,
    pub(super) verdict: Verdict,
    pub(super) why: Why,
}

/// What decides.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// Nothing: TLS is enough.
    Tls,
    Pins,
    Names,
    Tlsa(session::Proof),
}

/// Judges an established session.
pub(super) fn of(subject: &Subject<'_>, level: &HostLevel, server: &Server, tls: &Tls) -> Proof {
    let by = decides(level);
    let chain = chain(tls);
    let named = named(subject, server, tls);
    let pinned = pinned(subject, tls);
    let tlsa = tlsa(subject, server, tls);
    let tests = vec![
        test("chain", &chain, By::Names, by),
        test("names", &named, By::Names, by),
        test("validity", &valid(subject, tls), By::Names, by),
        test("pins", &pinned, By::Pins, by),
        test("tlsa", &tlsa, By::Tlsa(session::Proof::Full), by),
    ];
    let (verdict, why) = match by {
        By::Tls => on_tls_alone(tls),
        By::Pins => by_one(&pinned, Reason::FingerprintMatched, Verdict::Verified),
        By::Names => match &chain {
            Err(_) => by_one(&chain, Reason::CertificateVerified, Verdict::Verified),
            Ok(_) => by_one(&named, Reason::CertificateVerified, Verdict::Verified),
        },
        By::Tlsa(session::Proof::Full) => by_one(&tlsa, Reason::TlsaMatched, Verdict::Verified),
        By::Tlsa(session::Proof::Half) => by_one(&tlsa, Reason::TlsaMatched, Verdict::Trusted),
        // At dane TLS alone is left; dane-only asks for what cannot be.
        By::Tlsa(session::Proof::Nothing) => match level {
            HostLevel::Tlsa(SecurityLevel::DaneOnly, _) => {
                by_one(&tlsa, Reason::TlsaMatched, Verdict::Verified)
            }
            HostLevel::Tlsa(..) | HostLevel::Level(_) | HostLevel::Deferred(_) => on_tls_alone(tls),
        },
    };
    Proof { tests: tests.into_iter().flatten().collect(), verdict, why }
}

fn decides(level: &HostLevel) -> By {
    match level {
        HostLevel::Tlsa(_, proof) => By::Tlsa(*proof),
        HostLevel::Level(SecurityLevel::Fingerprint) => By::Pins,
        HostLevel::Level(SecurityLevel::Verify | SecurityLevel::Secure) => By::Names,
        HostLevel::Level(
            SecurityLevel::None
            | SecurityLevel::May
            | SecurityLevel::Encrypt
            | SecurityLevel::Dane
            | SecurityLevel::DaneOnly,
        )
        | HostLevel::Deferred(_) => By::Tls,
    }
}

/// Nothing to say: `None`. What is so: `Ok` as a policy would want it, `Err` with the reason otherwise.
type Found = Result<Option<String>, Why>;

fn test(name: &'static str, found: &Found, wanted_by: By, by: By) -> Option<Test> {
    let is_wanted = matches!(
        (wanted_by, by),
        (By::Names, By::Names) | (By::Pins, By::Pins) | (By::Tlsa(_), By::Tlsa(_))
    );
    let (result, text) = match found {
        Ok(text) => (TestResult::Passed, text.clone()?),
        Err(why) if is_wanted => (TestResult::Failed, why.text.clone()),
        Err(why) => (TestResult::NotNeeded, why.text.clone()),
    };
    Some(Test { name, result, text })
}

fn by_one(found: &Found, good: Reason, verdict: Verdict) -> (Verdict, Why) {
    match found {
        Ok(text) => (verdict, Why { reason: good, text: text.clone().unwrap_or_default() }),
        Err(why) => (Verdict::WouldDefer, why.clone()),
    }
}

fn on_tls_alone(tls: &Tls) -> (Verdict, Why) {
    let (verdict, who) = match &tls.trusted {
        Ok(()) => (Verdict::Trusted, "a trusted authority signed its certificate"),
        Err(_) if tls.chain.is_empty() => (Verdict::Encrypted, "it showed no certificate"),
        Err(_) => (Verdict::Encrypted, "nobody who is trusted signed its certificate"),
    };
    let text = format!("{} with {}; {who}", tls.protocol, tls.cipher);
    (verdict, Why { reason: Reason::TlsIsEnough, text })
}

fn chain(tls: &Tls) -> Found {
    match &tls.trusted {
        // Not which one: what a server sends behind its own chain may name anybody.
        Ok(()) => Ok(Some("leads to a trusted authority".to_owned())),
        Err(NotTrusted { reason, depth }) => {
            let whose = tls.chain.get(*depth as usize).map(|it| format!(" ({})", it.subject));
            let text = format!("{reason}, at depth {depth}{}", whose.unwrap_or_default());
            Err(Why { reason: Reason::ChainUntrusted, text })
        }
    }
}

/// The names of the policy, and where it has none those that level secure has by default.
fn named(subject: &Subject<'_>, server: &Server, tls: &Tls) -> Found {
    let Some(leaf) = tls.chain.first() else {
        let text = "the server showed no certificate".to_owned();
        return Err(Why { reason: Reason::NameMismatch, text });
    };
    let patterns = match &subject.policy.names {
        Some(names) => names.value.clone(),
        None => subject
            .client
            .names(Some(SecurityLevel::Secure))
            .map(|it| String::from_utf8_lossy(it).into_owned())
            .collect(),
    };
    let version = subject.client.version;
    match names::accepted(leaf, &patterns, subject.nexthop, &server.name, version) {
        Some(found) => Ok(Some(format!("{} is good for {}", found.name, found.pattern))),
        None => {
            let text = format!("{} is none of {}", all_names(leaf), patterns.join(", "));
            Err(Why { reason: Reason::NameMismatch, text })
        }
    }
}

/// The names that a certificate is for.
pub(super) fn all_names(certificate: &Certificate) -> String {
    let addresses = certificate.addresses.iter().map(ToString::to_string);
    let all: Vec<String> = certificate.names.iter().cloned().chain(addresses).collect();
    match all.as_slice() {
        [] => "a certificate without names".to_owned(),
        [first, .., last] if all.len() > 6 => format!("{first} … {last} ({} names)", all.len()),
        _ => all.join(", "),
    }
}

fn valid(subject: &Subject<'_>, tls: &Tls) -> Found {
    let Some(leaf) = tls.chain.first() else { return Ok(None) };
    let day = |second| Date::of_second(second).map(|it| it.to_string()).unwrap_or_default();
    let left = days(subject.at, leaf.not_after);
    let bad = |text| Err(Why { reason: Reason::ChainUntrusted, text });
    if subject.at < leaf.not_before {
        return bad(format!("valid from {} on", day(leaf.not_before)));
    }
    if subject.at > leaf.not_after {
        return bad(format!("ended {}", day(leaf.not_after)));
    }
    Ok(Some(format!("ends {}, in {left} days", day(leaf.not_after))))
}

/// How many days it is from the day of one second to that of another.
pub(super) fn days(from: i64, to: i64) -> i64 {
    let day = |second: i64| second.div_euclid(Date::SECONDS);
    day(to) - day(from)
}

/// The fingerprints of the policy, against certificate and key.
fn pinned(subject: &Subject<'_>, tls: &Tls) -> Found {
    let Some(pins) = &subject.policy.fingerprints else { return Ok(None) };
    let digest = subject.client.known_digest();
    let shown = shown(digest, tls);
    let parsed = pins.value.iter().map(|it| pin(it.as_bytes(), subject.client).ok());
    let parsed: Vec<Option<Fingerprint>> = parsed.collect();
    let hit = parsed.iter().position(|it| it.as_ref().is_some_and(|it| shown.contains(it)));
    // OpenSSL, which compares them since 3.6, asks more of the key than that.
    let is_weak = subject.client.version >= Version::new(3, 6)
        && tls.public_key().and_then(is_strong) == Some(false);
    match hit {
        Some(at) if is_weak => {
            let text = format!(
                "pin {} of {} is what it has, and its key is too weak",
                at + 1,
                parsed.len()
            );
            Err(Why { reason: Reason::FingerprintMismatch, text })
        }
        Some(at) => Ok(Some(format!("pin {} of {} is what it has", at + 1, parsed.len()))),
        None => {
            let name = digest.map_or("", Digest::name);
            let text = match shown.last() {
                Some(key) => format!("no pin is the server's; its key has {name} {key}"),
                None => "the server showed no key".to_owned(),
            };
            Err(Why { reason: Reason::FingerprintMismatch, text })
        }
    }
}

/// The fingerprints of what a server showed: of its certificate, if it has one, and of its key.
pub(super) fn shown(digest: Option<Digest>, tls: &Tls) -> Vec<Fingerprint> {
    let Some(digest) = digest else { return Vec::new() };
    let both = tls.chain.first().map(|it| [it.der(), it.public_key()]);
    both.into_iter().flatten().map(|it| fingerprint(digest, it)).collect()
}

/// The names that are good where a record is about an authority (`dane_init`): the host's, and that of the domain if the
/// host was found by its MX records.
pub(super) fn tlsa_names(subject: &Subject<'_>, server: &Server, tlsa: &Tlsa) -> Vec<String> {
    let of_domain = server.preference.map(|_| subject.nexthop.to_owned());
    let mut names: Vec<String> = std::iter::once(tlsa.base.clone()).chain(of_domain).collect();
    names.dedup();
    names
}

/// The terms of a chain to what a record is about: where a server has to prove itself OpenSSL's security level is 1.
pub(super) fn tlsa_terms(subject: &Subject<'_>) -> Terms {
    Terms { security_level: 1, depth: subject.parameters.verify_depth, at: subject.at }
}

fn tlsa(subject: &Subject<'_>, server: &Server, tls: &Tls) -> Found {
    let Some(tlsa) = server.tlsa.found() else { return Ok(None) };
    if !tlsa.secure {
        let text = format!("the records of {} are not validated, and count for nothing", tlsa.base);
        return Err(Why { reason: Reason::TlsaMissing, text });
    }
    let names = tlsa_names(subject, server, tlsa);
    let found = dane::matched(
        &tlsa.records,
        &subject.parameters.dane_digests,
        &tls.chain,
        &names,
        &tlsa_terms(subject),
        subject.client.version,
    );
    let (reason, text) = match found {
        Ok(found) => {
            let it = found.record;
            let kind = format!("{} {} {}", it.usage, it.selector, it.matching);
            return Ok(Some(format!("a record {kind} of {} matches", tlsa.base)));
        }
        Err(Mismatch::Unusable) => {
            (Reason::TlsaUnusable, format!("no record of {} can be used", tlsa.base))
        }
        Err(Mismatch::Different) => {
            (Reason::TlsaMismatch, format!("no record of {} matches what it shows", tlsa.base))
        }
        Err(Mismatch::Untrusted(NotTrusted { reason, depth })) => {
            (Reason::TlsaMismatch, format!("a record matches, but {reason}, at depth {depth}"))
        }
        Err(Mismatch::Names) => {
            let names = names.join(", ");
            (Reason::TlsaMismatch, format!("a record matches, but the names are none of {names}"))
        }
    };
    Err(Why { reason, text })
}
