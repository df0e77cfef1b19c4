//! What becomes of mail, in words.

use super::what::{Impossible, What};
use crate::postfix::SecurityLevel;

/// What becomes of mail for a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// TLS, or the mail waits.
    Enforced,
    /// TLS where the server offers it, or where its TLSA records ask for it.
    Opportunistic,
    /// Never TLS.
    Plaintext,
    /// The mail waits, whatever the server does.
    Deferred,
}

impl Outcome {
    /// The word in outputs.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Enforced => "enforced",
            Outcome::Opportunistic => "opportunistic",
            Outcome::Plaintext => "plaintext",
            Outcome::Deferred => "deferred",
        }
    }
}

/// What a client finds out about a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// It offers no STARTTLS.
    WithoutStarttls,
    /// Nobody whom the client trusts has signed its certificate.
    Untrusted,
    /// Its certificate has other names.
    OtherName,
    /// It has another certificate and key than expected.
    OtherKey,
}

/// What becomes of mail for such a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It goes out over TLS.
    Encrypted,
    /// It goes out in the clear.
    Clear,
    /// It waits.
    Deferred,
    /// Its TLSA records decide: where there are usable ones, the mail waits.
    AsTlsaSays,
}

impl Delivery {
    /// The word in outputs for programs.
    pub fn name(self) -> &'static str {
        match self {
            Delivery::Encrypted => "encrypted",
            Delivery::Clear => "clear",
            Delivery::Deferred => "deferred",
            Delivery::AsTlsaSays => "as-tlsa-says",
        }
    }
}

/// What a level asks for, as the reason of an outcome.
pub(super) fn reason(level: SecurityLevel) -> &'static str {
    match level {
        SecurityLevel::None => "TLS is off for this destination: mail goes out in the clear",
        SecurityLevel::May => {
            "TLS where the server offers it, whoever it is, and else in the clear"
        }
        SecurityLevel::Encrypt => "TLS or the mail waits, whoever the server is",
        SecurityLevel::Dane => {
            "TLS as the server's TLSA records ask for it, and without such records as at level may"
        }
        SecurityLevel::DaneOnly => {
            "TLS with a server that its TLSA records confirm, or the mail waits"
        }
        SecurityLevel::Fingerprint => {
            "TLS with a server that has one of these certificates or keys, or the mail waits"
        }
        SecurityLevel::Verify | SecurityLevel::Secure => {
            "TLS with a server that has a trusted certificate with one of these names, or the mail waits"
        }
    }
}

/// Why a level holds all mail.
pub(super) fn impossible(why: Impossible) -> String {
    match why {
        Impossible::DaneOnly(why) => {
            format!("dane-only needs TLSA records, and {why}: all mail waits")
        }
        Impossible::DaneOverSocket => {
            "dane and dane-only are not for UNIX-domain sockets: all mail waits".to_owned()
        }
        Impossible::NobodyTrusted => {
            "nobody is trusted to sign certificates, so that none is ever verified: all mail waits"
                .to_owned()
        }
        Impossible::NoName => {
            "main.cf has no name that a certificate could have: all mail waits".to_owned()
        }
        Impossible::BelowWrappermode => {
            "tls_wrappermode needs level encrypt or a stronger one: all mail waits".to_owned()
        }
    }
}

/// Why a row with this problem holds all mail.
pub(super) fn held_by_row(what: &What) -> String {
    let why = match what {
        What::LevelImpossible(why) => return impossible(*why),
        What::Level => "the policy does not begin with a security level",
        What::UnknownAttribute => "the policy has a word that is no attribute",
        What::NewerAttribute(_) => "the policy has an attribute of a later Postfix",
        What::MatchAtWrongLevel(_) => "match= cannot stand at this level",
        What::NoFingerprint | What::Pin(..) => "the policy has no fingerprint that counts",
        What::NotUtf8 => "the row is not UTF-8",
        What::Name(..) => "the policy has no name that a certificate could have",
        What::Comment => "the policy goes on in what was meant as a comment",
        What::Refused(why) if why.stops_the_handshake() => {
            "TLS cannot start with the policy's attributes"
        }
        What::Refused(_) => "the policy has an attribute that cannot stand so",
        What::DaneAsMay(_) | What::Ineffective(_) => "the policy is odd",
    };
    format!("{why}: all mail to this destination is deferred (4.7.5)")
}
