//! What a server said, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Moment, at};
use crate::certificate;
use crate::observation::session::{self, TlsFailure};
use crate::policy::Date;
use crate::postfix::Digest;
use crate::report::fingerprint_json::{Made, made_of};

/// The digests that Postfix's users pin.
const DIGESTS: &[Digest] = &[Digest::Md5, Digest::Sha1, Digest::Sha256, Digest::Sha512];

/// A connection, as far as it came.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "session")]
pub(super) struct Session<'a> {
    /// Milliseconds until the connection stood.
    connected_after: u32,
    /// The greeting; null: TLS comes first and did not come about.
    greeting: Option<Said<'a>>,
    /// The answer to EHLO or HELO, the last one before TLS; null: nobody asked.
    hello: Option<Said<'a>>,
    /// Whether TLS can begin.
    starttls: Starttls,
    /// What the server said instead of beginning TLS; null otherwise.
    starttls_reply: Option<Said<'a>>,
    /// The TLS session; null: there is none.
    tls: Option<Tls<'a>>,
    /// Why TLS was begun and did not come about; null otherwise.
    tls_failure: Option<Failure<'a>>,
    /// The answer to EHLO within TLS; null: nobody asked.
    hello_in_tls: Option<Said<'a>>,
}

/// A reply, or what came instead of one.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "said")]
struct Said<'a> {
    /// The code of the reply; null: there was none.
    code: Option<u16>,
    /// The texts of its lines, without codes.
    lines: &'a [String],
    /// What came instead; null: there was a reply.
    trouble: Option<&'a str>,
}

/// How TLS begins.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "starttls")]
enum Starttls {
    /// TLS comes before the greeting.
    Wrapper,
    /// The connection did not come so far.
    NotReached,
    /// EHLO does not offer it.
    NotOffered,
    /// It is offered, and the policy wants none.
    Offered,
    /// The server took the command.
    Accepted,
    /// It offered it and refused the command.
    Refused,
    /// Behind its reply the server sent more in the clear.
    Injected,
}

/// A handshake that failed.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "tls-failure")]
struct Failure<'a> {
    /// Of what kind it is.
    kind: FailureKind,
    /// More about it; null where there is nothing to say.
    text: Option<&'a str>,
}

/// How a handshake failed.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "tls-failure-kind")]
enum FailureKind {
    /// The server said no, or both have nothing in common.
    Handshake,
    /// Nothing came in time.
    Timeout,
    /// The connection ended.
    Closed,
    /// This client's own settings are in the way.
    Settings,
    /// It did not fail; postls cannot read the server's certificate.
    Unreadable,
}

/// An established TLS session.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "tls")]
struct Tls<'a> {
    /// The protocol, such as TLSv1.3.
    protocol: &'a str,
    /// The cipher suite by OpenSSL's name.
    cipher: &'a str,
    /// The bits of its secret key.
    bits: u32,
    /// The key exchange, such as X25519; null where it cannot be told.
    group: Option<&'a str>,
    /// The name that the client asked for (SNI); null: none.
    servername: Option<&'a str>,
    /// Whether the chain leads to an authority that the policy trusts.
    trusted: Trust<'a>,
    /// The same, had the system's authorities been asked; null: they were, or there are none.
    trusted_by_system: Option<Trust<'a>>,
    /// The certificates as the server sent them, its own first; empty: it showed none.
    chain: Vec<Certificate>,
}

/// Whether a chain leads to a trusted authority.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "trusted")]
struct Trust<'a> {
    /// Whether it does.
    trusted: bool,
    /// OpenSSL's reason why not; null: it does.
    reason: Option<&'a str>,
    /// At which certificate it stopped: 0 is the server's own; null: it did not stop.
    depth: Option<u32>,
}

/// A certificate.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "certificate")]
struct Certificate {
    /// Whom it is for.
    subject: String,
    /// Who signed it.
    issuer: String,
    /// The DNS names that it is for; where it has none, its common name.
    names: Vec<String>,
    /// The addresses that it is for.
    addresses: Vec<String>,
    /// The first second at which it is valid.
    not_before: Moment,
    /// The last second at which it is valid.
    not_after: Moment,
    /// The days until that day; negative: it has expired.
    days_left: i64,
    /// The kind of key with its size or curve, such as RSA 2048 or P-256.
    key: String,
    /// Whether the key is weaker than RSA of 2048 bits.
    weak_key: bool,
    /// The digest of its signature, where that is a weak one, such as SHA-1; null otherwise.
    weak_digest: Option<&'static str>,
    /// The version of its form, 1 to 3.
    version: u32,
    /// Whether its issuer has the name of its subject: it is self-signed, or the root of a chain.
    self_issued: bool,
    /// Whether it may sign other certificates.
    ca: bool,
    /// Its fingerprints.
    fingerprints: Made,
}

pub(super) fn session(it: &session::Session, today: u64) -> Session<'_> {
    let (starttls, starttls_reply) = match &it.starttls {
        session::Starttls::Wrapper => (Starttls::Wrapper, None),
        session::Starttls::NotReached => (Starttls::NotReached, None),
        session::Starttls::NotOffered => (Starttls::NotOffered, None),
        session::Starttls::Offered => (Starttls::Offered, None),
        session::Starttls::Accepted => (Starttls::Accepted, None),
        session::Starttls::Refused(reply) => (Starttls::Refused, Some(said(reply))),
        session::Starttls::Injected => (Starttls::Injected, None),
    };
    Session {
        connected_after: it.connected_after,
        greeting: it.greeting.as_ref().map(said),
        hello: it.hello.as_ref().map(said),
        starttls,
        starttls_reply,
        tls: it.tls.as_ref().and_then(|it| it.as_ref().ok()).map(|it| tls(it, today)),
        tls_failure: it.tls.as_ref().and_then(|it| it.as_ref().err()).map(failure),
        hello_in_tls: it.hello_in_tls.as_ref().map(said),
    }
}

fn said(it: &session::Said) -> Said<'_> {
    match it {
        session::Said::Reply(it) => Said { code: Some(it.code), lines: &it.lines, trouble: None },
        session::Said::Nothing(why) => Said { code: None, lines: &[], trouble: Some(why) },
    }
}

fn failure(it: &TlsFailure) -> Failure<'_> {
    let (kind, text) = match it {
        TlsFailure::Handshake(why) => (FailureKind::Handshake, Some(why.as_str())),
        TlsFailure::Timeout => (FailureKind::Timeout, None),
        TlsFailure::Closed => (FailureKind::Closed, None),
        TlsFailure::Unreadable(why) => (FailureKind::Unreadable, Some(why.as_str())),
        TlsFailure::Settings(why) => (FailureKind::Settings, Some(why.as_str())),
    };
    Failure { kind, text }
}

fn tls(it: &session::Tls, today: u64) -> Tls<'_> {
    Tls {
        protocol: &it.protocol,
        cipher: &it.cipher,
        bits: it.bits,
        group: it.group.as_deref(),
        servername: it.servername.as_deref(),
        trusted: trusted(&it.trusted),
        trusted_by_system: it.trusted_by_system.as_ref().map(trusted),
        chain: it.chain.iter().map(|it| certificate_of(it, today)).collect(),
    }
}

fn trusted(it: &Result<(), session::NotTrusted>) -> Trust<'_> {
    match it {
        Ok(()) => Trust { trusted: true, reason: None, depth: None },
        Err(it) => Trust { trusted: false, reason: Some(&it.reason), depth: Some(it.depth) },
    }
}

fn certificate_of(it: &certificate::Certificate, today: u64) -> Certificate {
    let today = i64::try_from(today).unwrap_or(i64::MAX);
    Certificate {
        subject: it.subject.to_string(),
        issuer: it.issuer.to_string(),
        names: it.names.clone(),
        addresses: it.addresses.iter().map(ToString::to_string).collect(),
        not_before: at(it.not_before),
        not_after: at(it.not_after),
        days_left: it.not_after.div_euclid(Date::SECONDS).saturating_sub(today),
        key: it.key.to_string(),
        weak_key: it.key.is_weak(),
        weak_digest: it.weak_digest,
        version: it.version,
        self_issued: it.is_self_issued(),
        ca: it.is_ca,
        fingerprints: made_of(it, DIGESTS),
    }
}
