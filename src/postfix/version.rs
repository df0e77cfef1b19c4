//! Postfix versions, as far as behaviour depends on them.

use std::fmt;

/// A minor release such as 3.7; patch levels are not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// 3 in 3.7.
    pub major: u16,
    /// 7 in 3.7.
    pub minor: u16,
}

impl Version {
    /// The newest version that postls knows.
    pub const NEWEST: Version = Version::new(3, 12);
    /// The oldest version whose behaviour was tried.
    pub const OLDEST: Version = Version::new(3, 5);

    /// `major.minor`.
    pub const fn new(major: u16, minor: u16) -> Version {
        Version { major, minor }
    }

    /// Reads `3.7`, and what `postconf -h mail_version` prints: `3.7.11`, `3.12-20260821`.
    pub fn parse(text: &str) -> Option<Version> {
        let (major, rest) = text.trim().split_once('.')?;
        let length = rest.find(|it: char| !it.is_ascii_digit()).unwrap_or(rest.len());
        let (minor, rest) = rest.split_at(length);
        if !(rest.is_empty() || rest.starts_with(['.', '-'])) {
            return None;
        }
        Some(Version::new(digits(major)?, digits(minor)?))
    }
}

fn digits(text: &str) -> Option<u16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_postconf_writes_them() {
        for (text, want) in [
            ("3.7", Some((3, 7))),
            ("3.7.11", Some((3, 7))),
            ("3.12-20260821", Some((3, 12))),
            ("2.3", Some((2, 3))),
            ("3", None),
            ("3.", None),
            ("3.x", None),
            ("3.7x", None),
            ("+3.7", None),
            ("", None),
        ] {
            let want = want.map(|(major, minor)| Version::new(major, minor));
            assert_eq!(Version::parse(text), want, "{text}");
        }
    }
}
