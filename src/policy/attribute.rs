//! How a client judges one attribute of a policy.

use std::ops::Range;

use super::client::{BadFile, Client};
use super::row::{Row, is_hostname};
use super::what::Refused;
use crate::postfix::{CipherGrade, Protocol, Protocols, SecurityLevel, Version, refused_exclusion};

/// An attribute and what stands around it.
pub(super) struct Asked<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a [u8],
    pub(super) level: Option<SecurityLevel>,
    pub(super) client: &'a Client,
    /// The attributes before it.
    pub(super) seen: &'a [(&'static str, Range<usize>)],
    pub(super) row: &'a Row<'a>,
}

impl Asked<'_> {
    /// Why the attribute cannot stand so, if there is a reason.
    pub(super) fn refused(&self) -> Option<Refused> {
        const ONCE: &[&str] = &[
            "ciphers",
            "exclude",
            "policy_domain",
            "policy_failure",
            "policy_ttl",
            "policy_type",
            "protocols",
            "servername",
        ];
        const FAILURES: &[&str] = &[
            "sts-policy-fetch-error",
            "sts-policy-invalid",
            "sts-webpki-invalid",
            "validation-failure",
        ];
        let value = self.value;
        let one_of =
            |words: &[&str]| words.iter().any(|it| value.eq_ignore_ascii_case(it.as_bytes()));
        if ONCE.contains(&self.name) && self.seen.iter().any(|(it, _)| *it == self.name) {
            return Some(Refused::Repeated);
        }
        match self.name {
            "ciphers" | "match" | "tafile" if value.is_empty() => Some(Refused::Empty),
            "ciphers" => self.grade(),
            "tafile" => self.file(),
            "connection_reuse" | "enable_rpk" => {
                (!one_of(&["yes", "no"])).then_some(Refused::NotYesNo)
            }
            "servername" | "policy_domain" => (!is_hostname(value)).then_some(Refused::NotHostname),
            "exclude" => self.exclusion(),
            "protocols" => self.protocols(),
            "policy_ttl" => (!is_ttl(value)).then_some(Refused::NotTtl),
            "policy_type" => {
                (!one_of(&["sts", "no-policy-found"])).then_some(Refused::NotPolicyType)
            }
            "policy_failure" => (!one_of(FAILURES)).then_some(Refused::NotPolicyFailure),
            _ => None,
        }
    }

    fn grade(&self) -> Option<Refused> {
        let Some(grade) = CipherGrade::parse(self.value) else { return Some(Refused::NotGrade) };
        let encrypt = self.level == Some(SecurityLevel::Encrypt);
        (encrypt && grade == CipherGrade::Null).then_some(Refused::NoEncryption)
    }

    fn file(&self) -> Option<Refused> {
        match self.level {
            Some(SecurityLevel::Verify | SecurityLevel::Secure) | None => {
                let bad = self.client.bad_files.iter().find(|it| it.0.as_bytes() == self.value);
                let others = self.row.values("tafile").filter(|it| {
                    let value = &self.row.text[it.clone()];
                    !self.client.bad_files.iter().any(|bad| bad.0.as_bytes() == value)
                });
                let alone = others.count() == 0;
                let fatal = alone || self.client.version < Version::new(3, 6);
                bad.filter(|(_, why)| *why != BadFile::Garbage || fatal)
                    .map(|(_, why)| Refused::File(*why))
            }
            Some(
                level @ (SecurityLevel::None
                | SecurityLevel::May
                | SecurityLevel::Encrypt
                | SecurityLevel::Dane
                | SecurityLevel::DaneOnly
                | SecurityLevel::Fingerprint),
            ) => Some(Refused::WrongLevel(level)),
        }
    }

    fn exclusion(&self) -> Option<Refused> {
        if refused_exclusion(self.value).is_some() {
            return Some(Refused::NotCipher);
        }
        // More than this is a question to OpenSSL, and each version has another answer.
        // Of the grade null it leaves some.
        let null = self.row.values("ciphers").any(|it| is_null(&self.row.text[it]));
        let mut words = self.value.split(|it| is_separator(*it));
        (!null && words.any(|it| it == b"ALL")).then_some(Refused::NoCipher)
    }

    fn protocols(&self) -> Option<Refused> {
        match Protocols::parse(self.value, Version::NEWEST) {
            Err(_) => Some(Refused::NotProtocols),
            // OpenSSL has no SSLv3 any more.
            Ok(list) => {
                list.enabled().all(|it| it == Protocol::Ssl3).then_some(Refused::NoProtocol)
            }
        }
    }
}

/// Digits that fit into a C int.
fn is_ttl(value: &[u8]) -> bool {
    let digits = str::from_utf8(value).ok().filter(|it| it.bytes().all(|it| it.is_ascii_digit()));
    digits.is_some_and(|it| it.parse::<i32>().is_ok())
}

pub(super) fn is_null(grade: &[u8]) -> bool {
    CipherGrade::parse(grade) == Some(CipherGrade::Null)
}

pub(super) fn is_separator(byte: u8) -> bool {
    b", \t\r\n:".contains(&byte)
}
