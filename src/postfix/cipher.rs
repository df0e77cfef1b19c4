//! Cipher grades and lists of excluded ciphers (`tls/tls_misc.c`).
//!
//! Postfix looks at them when a session starts TLS; where it does not take them there is none.

use std::ops::Range;

use super::Version;

/// How strong the ciphers of TLSv1.2 and older must be; those of TLSv1.3 have no grade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CipherGrade {
    /// `tls_high_cipherlist`.
    High,
    /// `tls_medium_cipherlist`.
    Medium,
    /// `tls_low_cipherlist`, until 3.7.
    Low,
    /// `tls_export_cipherlist`, until 3.7.
    Export,
    /// No encryption, `tls_null_cipherlist`.
    Null,
}

impl CipherGrade {
    /// All of them.
    pub const ALL: [CipherGrade; 5] = [
        CipherGrade::High,
        CipherGrade::Medium,
        CipherGrade::Low,
        CipherGrade::Export,
        CipherGrade::Null,
    ];

    /// The grade that Postfix takes `name` for; upper and lower case are the same to it.
    pub fn parse(name: &[u8]) -> Option<CipherGrade> {
        CipherGrade::ALL.into_iter().find(|it| name.eq_ignore_ascii_case(it.name().as_bytes()))
    }

    /// The grade that it stands for: from 3.8 on low and export are medium.
    #[must_use]
    pub fn meant(self, version: Version) -> CipherGrade {
        match self {
            CipherGrade::Low | CipherGrade::Export if version >= Version::new(3, 8) => {
                CipherGrade::Medium
            }
            CipherGrade::High
            | CipherGrade::Medium
            | CipherGrade::Low
            | CipherGrade::Export
            | CipherGrade::Null => self,
        }
    }

    /// The word in main.cf and policies.
    pub fn name(self) -> &'static str {
        match self {
            CipherGrade::High => "high",
            CipherGrade::Medium => "medium",
            CipherGrade::Low => "low",
            CipherGrade::Export => "export",
            CipherGrade::Null => "null",
        }
    }
}

/// The words of an exclusion list.
pub fn excluded_ciphers(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    super::protocol::words(list).map(|it| &list[it])
}

/// The first word of an exclusion list that Postfix does not take, since it adds the `!` itself,
/// or OpenSSL does not, since no cipher begins so.
pub fn refused_exclusion(list: &[u8]) -> Option<Range<usize>> {
    let begins_well = |it: u8| it.is_ascii_alphanumeric() || b"._=".contains(&it);
    super::protocol::words(list).find(|it| !begins_well(list[it.start]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grades_are_read_in_any_case_and_nothing_else_is() {
        for grade in CipherGrade::ALL {
            assert_eq!(CipherGrade::parse(grade.name().to_uppercase().as_bytes()), Some(grade));
        }
        for text in ["", "strong", "invalid", "high,", "HIGH:!aNULL"] {
            assert_eq!(CipherGrade::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(CipherGrade::Low.meant(Version::new(3, 7)), CipherGrade::Low);
        assert_eq!(CipherGrade::Low.meant(Version::new(3, 8)), CipherGrade::Medium);
    }

    #[test]
    fn exclusions_must_not_begin_with_an_operator() {
        assert_eq!(refused_exclusion(b"aNULL, MD5:!RC4"), Some(11..15));
        assert_eq!(refused_exclusion(b"{RC4}"), Some(0..5));
        assert_eq!(refused_exclusion(b"aNULL, kDHE+AES SEED-X"), None);
    }
}
