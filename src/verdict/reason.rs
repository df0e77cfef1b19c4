//! The reasons of verdicts: data, so that each can be explained.

use super::Verdict;

/// A reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Names and chain are as the policy asks.
    CertificateVerified,
    /// A pin matches.
    FingerprintMatched,
    /// A TLSA record matches.
    TlsaMatched,
    /// The level asks for TLS and no more.
    TlsIsEnough,
    /// The policy has no TLS.
    TlsOff,
    /// The server offers no STARTTLS.
    StarttlsNotOffered,
    /// The server refuses the command that it offers.
    StarttlsRefused,
    /// Something stands behind the reply to STARTTLS.
    StarttlsInjection,
    /// TLS does not come about.
    HandshakeFailed,
    /// No trusted authority.
    ChainUntrusted,
    /// Other names.
    NameMismatch,
    /// Another key.
    FingerprintMismatch,
    /// A host has no TLSA records, or the zone is not signed.
    TlsaMissing,
    /// It has some, and all are of a kind that counts for nothing.
    TlsaUnusable,
    /// It has some, and none matches.
    TlsaMismatch,
    /// The policy holds all mail, whatever the server does.
    PolicyDefers,
    /// The server says that it cannot now (4xx, 421).
    ServerBusy,
    /// The server refuses this client (5xx).
    ServerRefuses,
    /// The server says nothing in time, or nothing that is SMTP.
    NoAnswer,
    /// No connection.
    Unreachable,
    /// There is no such domain, or it takes no mail.
    NoSuchDomain,
    /// The way leads back to this host.
    MailLoops,
    /// It is no destination that the client takes.
    DestinationMalformed,
    /// The resolver failed.
    DnsFailed,
    /// No address was tried.
    NotTried,
    /// A certificate ends soon, or has ended where nobody asks.
    CertificateExpiresSoon,
    /// A pin that no address shows.
    PinNotSeen,
    /// An address would defer while others deliver.
    AddressWouldDefer,
    /// What the servers do not take goes to smtp_fallback_relay.
    FallbackRelay,
    /// The domain's MTA-STS policy asks for more than the policy in force, or contradicts what was seen.
    StsConflict,
}

/// What is known of a reason.
pub struct Facts {
    /// Its name in outputs.
    pub id: &'static str,
    /// What it means, in a line.
    pub summary: &'static str,
    /// What to do about it; empty where nothing is to be done.
    pub advice: &'static str,
}

impl Reason {
    /// All of them.
    pub const ALL: &[Reason] = &[
        Reason::CertificateVerified,
        Reason::FingerprintMatched,
        Reason::TlsaMatched,
        Reason::TlsIsEnough,
        Reason::TlsOff,
        Reason::StarttlsNotOffered,
        Reason::StarttlsRefused,
        Reason::StarttlsInjection,
        Reason::HandshakeFailed,
        Reason::ChainUntrusted,
        Reason::NameMismatch,
        Reason::FingerprintMismatch,
        Reason::TlsaMissing,
        Reason::TlsaUnusable,
        Reason::TlsaMismatch,
        Reason::PolicyDefers,
        Reason::ServerBusy,
        Reason::ServerRefuses,
        Reason::NoAnswer,
        Reason::Unreachable,
        Reason::NoSuchDomain,
        Reason::MailLoops,
        Reason::DestinationMalformed,
        Reason::DnsFailed,
        Reason::NotTried,
        Reason::CertificateExpiresSoon,
        Reason::PinNotSeen,
        Reason::AddressWouldDefer,
        Reason::FallbackRelay,
        Reason::StsConflict,
    ];

    /// Its name in outputs.
    pub fn id(self) -> &'static str {
        self.facts().id
    }

    /// What is known of it.
    #[allow(clippy::too_many_lines, reason = "it is data")]
    pub fn facts(self) -> Facts {
        let (id, summary, advice) = match self {
            Reason::CertificateVerified => (
                "certificate-verified",
                "a trusted authority signed a certificate with a name that the policy takes",
                "",
            ),
            Reason::FingerprintMatched => {
                ("fingerprint-matched", "the server has a certificate or key that is pinned", "")
            }
            Reason::TlsaMatched => {
                ("tlsa-matched", "a TLSA record of the host matches what the server showed", "")
            }
            Reason::TlsIsEnough => {
                ("tls-is-enough", "the level asks for TLS and not for who the server is", "")
            }
            Reason::TlsOff => (
                "tls-off",
                "the policy has no TLS for this destination",
                "a level above none encrypts",
            ),
            Reason::StarttlsNotOffered => (
                "starttls-not-offered",
                "the server offers no STARTTLS, or somebody on the way takes the offer out",
                "ask the other side; compare from another network",
            ),
            Reason::StarttlsRefused => (
                "starttls-refused",
                "the server offers STARTTLS and then refuses it",
                "ask the other side: its TLS is broken",
            ),
            Reason::StarttlsInjection => (
                "starttls-injection",
                "something was sent in the clear behind the reply to STARTTLS, before TLS began",
                "somebody on the way may add text, or the server is broken",
            ),
            Reason::HandshakeFailed => (
                "handshake-failed",
                "TLS does not come about",
                "compare protocols= and ciphers= with what the server can",
            ),
            Reason::ChainUntrusted => (
                "chain-untrusted",
                "the certificate chain leads to no authority that the policy trusts",
                "smtp_tls_CAfile or tafile= names authorities; a pin needs none",
            ),
            Reason::NameMismatch => (
                "name-mismatch",
                "the certificate has none of the names that the policy takes",
                "match= says which names are good",
            ),
            Reason::FingerprintMismatch => (
                "fingerprint-mismatch",
                "the server has another certificate and key than those that are pinned",
                "ask the other side by other means before a new pin is taken",
            ),
            Reason::TlsaMissing => (
                "tlsa-missing",
                "there are no validated TLSA records for the host",
                "dane-only needs them; the resolver must validate and be trusted",
            ),
            Reason::TlsaUnusable => (
                "tlsa-unusable",
                "none of the host's TLSA records is of a kind that Postfix uses",
                "usages 2 and 3 count for mail",
            ),
            Reason::TlsaMismatch => (
                "tlsa-mismatch",
                "none of the host's TLSA records matches what the server showed",
                "tell the other side: its records are older than its certificate",
            ),
            Reason::PolicyDefers => (
                "policy-defers",
                "the policy itself holds all mail, whatever the server does",
                "postls query and postls lint say what is wrong with it",
            ),
            Reason::ServerBusy => (
                "server-busy",
                "the server says that it cannot now",
                "try again later, or with fewer connections",
            ),
            Reason::ServerRefuses => (
                "server-refuses",
                "the server refuses this client before TLS",
                "probe from the host that sends the mail",
            ),
            Reason::NoAnswer => (
                "no-answer",
                "the server says nothing in time, or nothing that is SMTP",
                "try again later, or with more time",
            ),
            Reason::Unreachable => (
                "unreachable",
                "no connection can be made",
                "many networks block port 25: probe from the host that sends the mail",
            ),
            Reason::NoSuchDomain => {
                ("no-such-domain", "there is no such domain, or it takes no mail", "")
            }
            Reason::MailLoops => (
                "mail-loops",
                "the way to the destination leads back to this host",
                "mydestination, relay_domains or a transport says what becomes of its mail",
            ),
            Reason::DestinationMalformed => (
                "destination-malformed",
                "the client takes it for no destination, and its mail waits",
                "a domain, [host], or one of them with :port",
            ),
            Reason::DnsFailed => ("dns-failed", "the resolver could not say", "try again later"),
            Reason::NotTried => ("not-tried", "no address was tried", ""),
            Reason::CertificateExpiresSoon => (
                "certificate-expires-soon",
                "a certificate ends soon or has ended",
                "tell the other side",
            ),
            Reason::PinNotSeen => {
                ("pin-not-seen", "a pin that no address shows", "postls pin retire takes it out")
            }
            Reason::AddressWouldDefer => (
                "address-would-defer",
                "some addresses deliver and others would not",
                "mail waits whenever the good ones are away",
            ),
            Reason::FallbackRelay => (
                "fallback-relay",
                "mail that the destination's servers do not take goes to smtp_fallback_relay",
                "the policy of the relay decides then: postls probe RELAY",
            ),
            Reason::StsConflict => (
                "sts-conflict",
                "the domain's MTA-STS policy and what is in force here do not go together",
                "",
            ),
        };
        Facts { id, summary, advice }
    }
}

impl Verdict {
    /// Whether mail goes out.
    pub fn delivers(self) -> bool {
        match self {
            Verdict::Verified | Verdict::Trusted | Verdict::Encrypted | Verdict::Plaintext => true,
            Verdict::WouldDefer | Verdict::Unknown => false,
        }
    }
}
