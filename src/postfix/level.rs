//! TLS security levels (TLS_README, `tls/tls_level.c`).

use std::cmp::Ordering;
use std::fmt;

/// How much smtp(8) asks of a server.
///
/// The levels have no total order: Postfix's manual and its source order
/// fingerprint and dane differently, and which is better depends on who is to
/// be trusted. Ask the questions below, or [`SecurityLevel::compare`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SecurityLevel {
    /// Never TLS.
    None,
    /// TLS where the server offers it, whoever it is.
    May,
    /// TLS or no mail, whoever it is.
    Encrypt,
    /// TLSA records where DNSSEC gives them, else as `may`.
    Dane,
    /// TLSA records or no mail.
    DaneOnly,
    /// A known certificate or key.
    Fingerprint,
    /// A trusted certificate with the MX host's name, which DNS may have forged.
    Verify,
    /// A trusted certificate with the destination's name.
    Secure,
}

impl SecurityLevel {
    /// All of them, in the order of TLS_README.
    pub const ALL: [SecurityLevel; 8] = [
        SecurityLevel::None,
        SecurityLevel::May,
        SecurityLevel::Encrypt,
        SecurityLevel::Dane,
        SecurityLevel::DaneOnly,
        SecurityLevel::Fingerprint,
        SecurityLevel::Verify,
        SecurityLevel::Secure,
    ];

    /// The level that Postfix takes `name` for; upper and lower case are the same to it.
    pub fn parse(name: &[u8]) -> Option<SecurityLevel> {
        SecurityLevel::ALL.into_iter().find(|it| name.eq_ignore_ascii_case(it.name().as_bytes()))
    }

    /// The word in main.cf and policy tables.
    pub fn name(self) -> &'static str {
        match self {
            SecurityLevel::None => "none",
            SecurityLevel::May => "may",
            SecurityLevel::Encrypt => "encrypt",
            SecurityLevel::Dane => "dane",
            SecurityLevel::DaneOnly => "dane-only",
            SecurityLevel::Fingerprint => "fingerprint",
            SecurityLevel::Verify => "verify",
            SecurityLevel::Secure => "secure",
        }
    }

    /// The names for a message: `none, may, …, secure`.
    pub fn names() -> String {
        SecurityLevel::ALL.map(SecurityLevel::name).join(", ")
    }

    /// Whether a policy at this level may have `match=` (`smtp/smtp_tls_policy.c`).
    pub fn takes_match(self) -> bool {
        match self {
            SecurityLevel::Fingerprint | SecurityLevel::Verify | SecurityLevel::Secure => true,
            SecurityLevel::None
            | SecurityLevel::May
            | SecurityLevel::Encrypt
            | SecurityLevel::Dane
            | SecurityLevel::DaneOnly => false,
        }
    }

    /// Whether the other level asks for more (`Greater`), less, or the same;
    /// `None` where that depends on the server or on whom one trusts.
    pub fn compare(self, other: SecurityLevel) -> Option<Ordering> {
        if self == other {
            return Some(Ordering::Equal);
        }
        if self.is_above(other) {
            return Some(Ordering::Less);
        }
        other.is_above(self).then_some(Ordering::Greater)
    }

    /// Whether every server that this level takes is one that `other` takes too.
    fn is_above(self, other: SecurityLevel) -> bool {
        use SecurityLevel::{Dane, DaneOnly, Encrypt, Fingerprint, May, None, Secure, Verify};
        match self {
            None => false,
            May => other == None,
            Encrypt | Dane => matches!(other, None | May),
            DaneOnly => matches!(other, None | May | Encrypt | Dane),
            Fingerprint | Verify => matches!(other, None | May | Encrypt),
            Secure => matches!(other, None | May | Encrypt | Verify),
        }
    }
}

impl fmt::Display for SecurityLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_any_case_and_nothing_else_is() {
        for level in SecurityLevel::ALL {
            assert_eq!(SecurityLevel::parse(level.name().to_uppercase().as_bytes()), Some(level));
        }
        for text in ["", "halfdane", "half-dane", "encrypted", "may,", "\"may\"", "dane_only"] {
            assert_eq!(SecurityLevel::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn comparison_is_a_partial_order() {
        use SecurityLevel::{Dane, Encrypt, Fingerprint, May, Secure, Verify};
        assert_eq!(May.compare(Encrypt), Some(Ordering::Greater));
        assert_eq!(Secure.compare(Verify), Some(Ordering::Less));
        assert_eq!(Secure.compare(Fingerprint), None);
        assert_eq!(Dane.compare(Encrypt), None);
        for a in SecurityLevel::ALL {
            for b in SecurityLevel::ALL {
                assert_eq!(a.compare(b), b.compare(a).map(Ordering::reverse), "{a} {b}");
            }
        }
    }
}
