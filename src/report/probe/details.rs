//! What was seen, in words: pairs of a label and a text, for the forms that people read.

use data_encoding::HEXLOWER;

use super::{MAX_NAME, MAX_TEXT, Probed, cut, name, plain};
use crate::certificate::{Certificate, fingerprint};
use crate::observation::Looked;
use crate::observation::dns::{Sts, StsMode, StsPolicy, Tlsa, TlsaRecord};
use crate::observation::route::{By, NoRoute, Server};
use crate::observation::session::{NotTrusted, Said, Session, Starttls, Tls, TlsFailure};
use crate::postfix::Digest;
use crate::report::certificate::{names, valid};
use crate::report::query::values;
use crate::verdict::TestResult;

/// So many of a list are shown.
const MAX_LISTED: usize = 8;
/// So many bytes of a TLSA record are shown: a whole certificate may stand in one.
const MAX_DATA: usize = 64;

/// Something that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::report) struct Fact {
    /// What it is of.
    pub(in crate::report) label: &'static str,
    /// What is so.
    pub(in crate::report) text: String,
}

fn fact(label: &'static str, text: impl Into<String>) -> Fact {
    Fact { label, text: text.into() }
}

/// The policy, the route, and what the domain publishes.
pub(in crate::report) fn of_destination(probed: &Probed) -> Vec<Fact> {
    let label = |field: &'static str| match field {
        "connection_reuse" => "connection reuse",
        "enable_rpk" => "raw public keys",
        other => other,
    };
    let values = values(&probed.answered.policy).into_iter().filter(|it| !it.1.is_empty());
    let mut facts: Vec<Fact> = values.map(|(field, it)| fact(label(field), plain(&it))).collect();
    let seen = &probed.observation;
    facts.push(fact("route", route(probed)));
    facts.push(fact("MTA-STS", looked(&seen.sts, sts, "no policy")));
    let reports =
        looked(&seen.tls_reports, |it| listed(it.iter().map(String::as_str)), "no record");
    facts.push(fact("TLS reports", reports));
    facts
}

fn route(probed: &Probed) -> String {
    let secure = |it: bool| if it { ", validated with DNSSEC" } else { ", not validated" };
    match &probed.observation.route {
        Ok(route) => match route.by {
            By::Exchangers { secure: it } => format!("MX records{}", secure(it)),
            By::Implicit { secure: it } => {
                format!("no MX records: the domain is the host{}", secure(it))
            }
            By::Brackets => "in brackets: no MX records are asked for".to_owned(),
            By::Native => "the system's host lookup, without MX records".to_owned(),
        },
        Err(NoRoute::Malformed(why)) => {
            format!("no destination that Postfix takes: {}", plain(why))
        }
        Err(NoRoute::NotNetwork) => "a place that is not in a network".to_owned(),
        Err(NoRoute::NotFound(why)) => format!("no such domain or host: {}", plain(why)),
        Err(NoRoute::Loops(why)) => format!("the way leads back to this host: {}", plain(why)),
        Err(NoRoute::HandedOn(why)) => format!("not by this client: {}", plain(why)),
        Err(NoRoute::NullMx) => "MX 0 . says that the domain takes no mail".to_owned(),
        Err(NoRoute::Failed(why)) => format!("the resolver could not say: {}", plain(why)),
    }
}

/// What was found; what is so where there is `nothing`, or nobody knows.
fn looked<T>(it: &Looked<T>, found: impl Fn(&T) -> String, nothing: &str) -> String {
    match it {
        Looked::Found(it) => found(it),
        Looked::Nothing => nothing.to_owned(),
        Looked::Failed(why) | Looked::Late(why) => format!("could not be seen: {}", plain(why)),
        Looked::NotAsked(why) => format!("not asked: {}", plain(why)),
    }
}

fn sts(it: &Sts) -> String {
    match &it.policy {
        Ok(StsPolicy { mode, mx, max_age }) => {
            let mode = match mode {
                StsMode::Enforce => "enforce",
                StsMode::Testing => "testing",
                StsMode::None => "none",
            };
            let mx = listed(mx.iter().map(String::as_str));
            format!("{mode}, mx {mx}, for {max_age} seconds")
        }
        Err(why) => format!("record \"{}\", and no policy: {}", name(&it.record), plain(why)),
    }
}

/// The first of a list.
fn listed<'a>(all: impl Iterator<Item = &'a str> + Clone) -> String {
    let shown: Vec<String> = all.clone().take(MAX_LISTED).map(name).collect();
    match all.count().saturating_sub(MAX_LISTED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// What is known of a host before anybody connects.
pub(in crate::report) fn of_server(server: &Server) -> Vec<Fact> {
    let mut facts = Vec::new();
    if let Some(canonical) = &server.canonical {
        facts.push(fact("CNAME", format!("leads to {}", name(canonical))));
    }
    facts.push(fact(
        "DNSSEC",
        if server.secure { "addresses validated" } else { "addresses not validated" },
    ));
    facts.push(fact("TLSA", looked(&server.tlsa, tlsa, "no records")));
    facts.extend(server.trouble.iter().map(|it| fact("no address", plain(it))));
    facts
}

fn tlsa(it: &Tlsa) -> String {
    let records: Vec<String> = it.records.iter().take(MAX_LISTED).map(record).collect();
    let secure = if it.secure { "validated" } else { "not validated, so they count for nothing" };
    let more = match it.records.len().saturating_sub(MAX_LISTED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more} at {}, {secure}", records.join(", "), name(&it.base))
}

/// A record as zone files have it.
fn record(it: &TlsaRecord) -> String {
    let shown = &it.data[..it.data.len().min(MAX_DATA)];
    let data = HEXLOWER.encode(shown);
    let more = if it.data.len() > MAX_DATA { "…" } else { "" };
    format!("{} {} {} {data}{more}", it.usage, it.selector, it.matching)
}

/// What a server said; `today` in days since 1970-01-01, `digest` for fingerprints.
pub(in crate::report) fn of_session(session: &Session, today: u64, digest: Digest) -> Vec<Fact> {
    let mut facts = vec![fact("connected", format!("after {} ms", session.connected_after))];
    facts.extend(session.greeting.iter().map(|it| fact("greeting", said(it))));
    facts.extend(session.hello.iter().map(|it| fact("EHLO", said(it))));
    facts.push(fact("STARTTLS", starttls(&session.starttls)));
    match &session.tls {
        None => {}
        Some(Ok(tls)) => of_tls(&mut facts, tls, today, digest),
        Some(Err(failure)) => facts.push(fact("TLS", tls_failure(failure))),
    }
    facts.extend(session.hello_in_tls.iter().map(|it| fact("EHLO in TLS", said(it))));
    facts
}

fn said(it: &Said) -> String {
    match it {
        Said::Reply(reply) => {
            let text = format!("{} {}", reply.code, reply.lines.join(" / "));
            cut(text.trim_end(), MAX_TEXT)
        }
        Said::Nothing(why) => format!("no reply: {}", plain(why)),
    }
}

fn starttls(it: &Starttls) -> String {
    match it {
        Starttls::Wrapper => "not asked for: TLS comes first".to_owned(),
        Starttls::NotReached => "the connection did not come so far".to_owned(),
        Starttls::NotOffered => "not offered".to_owned(),
        Starttls::Offered => "offered, and the policy wants none".to_owned(),
        Starttls::Accepted => "accepted".to_owned(),
        Starttls::Refused(reply) => format!("offered, and refused: {}", said(reply)),
        Starttls::Injected => "more was sent in the clear behind the reply".to_owned(),
    }
}

fn tls_failure(it: &TlsFailure) -> String {
    match it {
        TlsFailure::Handshake(why) => format!("the handshake failed: {}", plain(why)),
        TlsFailure::Timeout => "nothing came in time".to_owned(),
        TlsFailure::Unreadable(why) => plain(why),
        TlsFailure::Closed => "the connection ended".to_owned(),
        TlsFailure::Settings(why) => {
            format!("this client's settings are in the way: {}", plain(why))
        }
    }
}

fn of_tls(facts: &mut Vec<Fact>, tls: &Tls, today: u64, digest: Digest) {
    let group = tls.group.as_ref().map(|it| format!(", key exchange {}", name(it)));
    let session = format!("{}, {} ({} bits)", name(&tls.protocol), name(&tls.cipher), tls.bits);
    facts.push(fact("TLS", session + &group.unwrap_or_default()));
    let servername = tls.servername.as_ref().map_or_else(|| "none".to_owned(), |it| name(it));
    facts.push(fact("name asked for", servername));
    facts.push(fact("trusted", trusted(&tls.trusted)));
    facts.extend(tls.trusted_by_system.iter().map(|it| fact("by the system", trusted(it))));
    if tls.chain.is_empty() {
        facts.push(fact("certificate", "none"));
    }
    for (depth, certificate) in tls.chain.iter().take(MAX_LISTED).enumerate() {
        of_certificate(facts, certificate, depth, today);
        if depth == 0 {
            facts.extend(fingerprints(certificate, digest));
        }
    }
}

fn trusted(it: &Result<(), NotTrusted>) -> String {
    match it {
        Ok(()) => "yes".to_owned(),
        Err(NotTrusted { reason, depth }) => {
            format!("no: {} (certificate {depth} of the chain)", plain(reason))
        }
    }
}

fn of_certificate(facts: &mut Vec<Fact>, it: &Certificate, depth: usize, today: u64) {
    let label = if depth == 0 { "certificate" } else { "issuer" };
    let subject = cut(&it.subject.to_string(), MAX_NAME * 2);
    facts.push(fact(label, format!("{subject}, {}", it.key)));
    if depth == 0 {
        let all = names(it);
        facts.push(fact("names", listed(all.split(", "))));
        facts.push(fact("signed by", cut(&it.issuer.to_string(), MAX_NAME * 2)));
    }
    facts.push(fact("valid", valid(it, today)));
}

/// The fingerprints that a pin could be.
fn fingerprints(it: &Certificate, digest: Digest) -> [Fact; 2] {
    [
        fact("key pin", fingerprint_of(digest, it.public_key())),
        fact("certificate pin", fingerprint_of(digest, it.der())),
    ]
}

fn fingerprint_of(digest: Digest, bytes: &[u8]) -> String {
    format!("{digest} {}", fingerprint(digest, bytes))
}

/// The result of a test as people read it.
pub(in crate::report) fn tested(result: TestResult) -> &'static str {
    match result {
        TestResult::Passed => "passed",
        TestResult::Failed => "failed",
        TestResult::NotNeeded => "not needed",
        TestResult::NotSeen => "not seen",
    }
}
