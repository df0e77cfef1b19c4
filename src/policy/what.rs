//! What can be wrong with a policy, as data: `problems` finds it, rules and outcomes say it.

use std::ops::Range;

use super::client::{BadFile, NoDane};
use crate::postfix::{Digest, Fingerprint, SecurityLevel, Version};

/// Why a client defers, or does not do what the row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where in the right-hand side.
    pub range: Range<usize>,
    /// What is so there.
    pub what: What,
}

/// The kinds of problems.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The first word is no level, or there is none.
    Level,
    /// A level that cannot work with the client's settings.
    LevelImpossible(Impossible),
    /// Level dane, which acts as may with the client's settings.
    DaneAsMay(NoDane),
    /// A word that is no attribute.
    UnknownAttribute,
    /// An attribute, or a way to write one, that came with this version, later than the one at hand.
    NewerAttribute(Version),
    /// `match=` at a level that compares nothing.
    MatchAtWrongLevel(SecurityLevel),
    /// The row is not UTF-8, and nobody turned that off.
    NotUtf8,
    /// A fingerprint that matches nothing.
    Pin(Pin, Rest),
    /// Level fingerprint without a fingerprint, neither here nor in main.cf.
    NoFingerprint,
    /// A name that no certificate has.
    Name(Name, Rest),
    /// A word that begins with `#`.
    Comment,
    /// An attribute that cannot stand so.
    Refused(Refused),
    /// An attribute that changes nothing.
    Ineffective(Ineffective),
}

/// Why mail cannot be delivered at a level, whatever the server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Impossible {
    /// dane-only, and TLSA records cannot be looked up.
    DaneOnly(NoDane),
    /// dane or dane-only, and the destination is a UNIX-domain socket.
    DaneOverSocket,
    /// verify or secure, and nobody is trusted to sign a certificate.
    NobodyTrusted,
    /// A level below encrypt, and the client begins every connection with TLS.
    BelowWrappermode,
    /// verify or secure without names, and main.cf has none that a certificate could have.
    NoName,
}

/// Why a fingerprint matches nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pin {
    /// No fingerprint at all: dropped, with a warning since 3.6.
    Malformed,
    /// Without colons, which a Postfix before 3.6 takes for text that matches nothing.
    Compact,
    /// Of another digest than the one in force.
    Length(Fingerprint, Digest),
}

/// Why a name matches nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// It is no host name: `|`, a blank, an empty label.
    Form,
    /// An address; from 3.6 on nothing matches then, whatever stands beside it.
    Address,
    /// Nearly `hostname`, `nexthop` or `dot-nexthop`.
    Typo(&'static str),
}

/// Whether the same list has something else that can match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Nothing: all mail to the destination waits.
    Nothing,
    /// Something, and only this one entry is lost.
    Something,
}

/// Why a client refuses an attribute that it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It needs a value.
    Empty,
    /// It stands there already, and may only once.
    Repeated,
    /// `tafile=` at a level that trusts no authority.
    WrongLevel(SecurityLevel),
    /// Neither `yes` nor `no`.
    NotYesNo,
    /// No host name.
    NotHostname,
    /// No list of TLS protocols.
    NotProtocols,
    /// A list that leaves no protocol on.
    NoProtocol,
    /// No cipher grade.
    NotGrade,
    /// A grade without encryption, at the level that rules such ciphers out.
    NoEncryption,
    /// An excluded cipher that begins with one of `!+-@` or another sign.
    NotCipher,
    /// A list that excludes every cipher.
    NoCipher,
    /// A file that cannot be used.
    File(BadFile),
    /// `match=` without a name.
    NoName,
    /// No number of seconds.
    NotTtl,
    /// Neither `sts` nor `no-policy-found`.
    NotPolicyType,
    /// None of the reasons that TLSRPT has.
    NotPolicyFailure,
    /// A pattern that no MX host matches, and there is no other.
    NoMxHost,
    /// It belongs to `policy_type=`, which is not there.
    WithoutPolicyType,
    /// A policy that has failed, at a level that then takes no certificate.
    PolicyFailed,
}

/// Why an attribute changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ineffective {
    /// Level none has no TLS that it could be about.
    NoTls,
    /// A later one of the same name counts.
    Overridden,
}

impl Refused {
    /// Whether the client finds it only when it starts TLS; at level may it does without then,
    /// after the first tries.
    pub fn stops_the_handshake(self) -> bool {
        match self {
            Refused::NotProtocols
            | Refused::NoProtocol
            | Refused::NotGrade
            | Refused::NoEncryption
            | Refused::NotCipher
            | Refused::NoCipher => true,
            Refused::Empty
            | Refused::Repeated
            | Refused::WrongLevel(_)
            | Refused::NotYesNo
            | Refused::NotHostname
            | Refused::File(_)
            | Refused::NoName
            | Refused::NotTtl
            | Refused::NotPolicyType
            | Refused::NotPolicyFailure
            | Refused::NoMxHost
            | Refused::WithoutPolicyType
            | Refused::PolicyFailed => false,
        }
    }
}

impl What {
    /// Whether all mail to the destination waits because of it, at first at least: at level may a
    /// wrong `ciphers=`, `protocols=` or `exclude=` lets it go out without TLS later.
    pub fn holds_mail(&self) -> bool {
        match self {
            What::Level
            | What::LevelImpossible(_)
            | What::UnknownAttribute
            | What::NewerAttribute(_)
            | What::MatchAtWrongLevel(_)
            | What::NoFingerprint
            | What::NotUtf8
            | What::Comment
            | What::Refused(_)
            | What::Pin(_, Rest::Nothing)
            | What::Name(_, Rest::Nothing) => true,
            What::DaneAsMay(_)
            | What::Ineffective(_)
            | What::Pin(_, Rest::Something)
            | What::Name(_, Rest::Something) => false,
        }
    }
}
