//! Which Postfix it is, as exactly as its own postconf program tells.
//!
//! Known limits: of the programs that distributions build only Debian's (and so
//! Ubuntu's) are told apart from the ones that upstream's makefiles build.

use memchr::memmem;

use super::Version;

/// A Postfix as somebody built it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// Its minor release.
    pub version: Version,
    /// The default of mail_version: `3.7.11`, `3.12-20260821`; `3.7` where no more is known.
    pub full_version: String,
    /// The default of mail_release_date, such as `20240304`, where it is known.
    pub released: Option<String>,
    /// Whether it is laid out as Debian's, with Debian's choices of defaults.
    pub debian: bool,
}

impl Build {
    /// The newest version that Debian has; a newer one is upstream's.
    const NEWEST_OF_DEBIAN: Version = Version::new(3, 11);

    /// Upstream's `version`, whatever its patch level: the newest one, in questions that depend on it.
    pub fn of_version(version: Version) -> Build {
        Build { version, full_version: version.to_string(), released: None, debian: false }
    }

    /// `version` as the host has it whose Postfix this is: of Debian, if that has the version.
    #[must_use]
    pub fn in_version(&self, version: Version) -> Build {
        if version == self.version {
            return self.clone();
        }
        let debian = self.debian && version <= Build::NEWEST_OF_DEBIAN;
        Build { debian, ..Build::of_version(version) }
    }

    /// Reads it off the bytes of a postconf program, without running that.
    ///
    /// Each Postfix program begins with a copy of `mail_version=3.7.11` (`global/mail_version.h`).
    /// A compiler may drop it where nothing uses it, and then the value itself is there, as
    /// the default of mail_version. `None` where that leaves a choice.
    pub fn of_program(bytes: &[u8]) -> Option<Build> {
        let strings = || numbers(bytes);
        let stamped = memmem::find_iter(bytes, MARK).filter_map(|at| {
            let behind = &bytes[at + MARK.len()..];
            str::from_utf8(&behind[..memchr::memchr(0, behind)?]).ok()
        });
        let full_version = match only(stamped.filter(|it| is_full_version(it))) {
            Found::One(version) => version,
            // Any program may hold something like a version; this one must ask for mail_version.
            Found::None if memmem::find(bytes, b"mail_version").is_some() => {
                match only(strings().filter(|it| is_full_version(it))) {
                    Found::One(version) => version,
                    Found::None | Found::Many => return None,
                }
            }
            Found::None | Found::Many => return None,
        };
        // A snapshot has its date in the version, and linkers keep a string that ends another
        // one within that.
        let released = match full_version.split_once('-') {
            Some((_, date)) => Some(date),
            None => match only(strings().filter(|it| is_date(it))) {
                Found::One(date) => Some(date),
                Found::None | Found::Many => None,
            },
        };
        Some(Build {
            version: Version::parse(full_version)?,
            full_version: full_version.to_owned(),
            released: released.map(str::to_owned),
            debian: memmem::find(bytes, b"/usr/lib/postfix/sbin").is_some(),
        })
    }

    /// The 11 of 3.7.11; of a build whose patch level is not known, the greatest.
    pub(super) fn patch(&self) -> u16 {
        let patch = self.full_version.splitn(3, '.').nth(2).and_then(|it| it.parse().ok());
        patch.unwrap_or(u16::MAX)
    }
}

/// The strings of a program that begin with a digit; there are tens of thousands of others,
/// and each start of postls waits for this.
fn numbers(bytes: &[u8]) -> impl Iterator<Item = &str> {
    let mut start = 0;
    memchr::memchr_iter(0, bytes).filter_map(move |end| {
        let text = &bytes[std::mem::replace(&mut start, end + 1)..end];
        let text = Some(text).filter(|it| it.first().is_some_and(u8::is_ascii_digit))?;
        str::from_utf8(text).ok()
    })
}

const MARK: &[u8] = b"mail_version=";

enum Found<'a> {
    None,
    One(&'a str),
    Many,
}

/// The string that all of them are.
fn only<'a>(mut texts: impl Iterator<Item = &'a str>) -> Found<'a> {
    match texts.next() {
        None => Found::None,
        Some(first) if texts.all(|it| it == first) => Found::One(first),
        Some(_) => Found::Many,
    }
}

/// `3.7.11` or `3.12-20260821`.
fn is_full_version(text: &str) -> bool {
    let Some((major, rest)) = text.split_once('.') else { return false };
    let minor_and_more = match rest.split_once(['.', '-']) {
        Some((minor, date)) if rest.as_bytes()[minor.len()] == b'-' => {
            is_date(date).then_some(minor)
        }
        Some((minor, patch)) => is_number(patch).then_some(minor),
        None => None,
    };
    is_number(major) && minor_and_more.is_some_and(is_number)
}

/// `20240304`.
fn is_date(text: &str) -> bool {
    text.len() == 8 && text.starts_with("20") && is_number(text)
}

fn is_number(text: &str) -> bool {
    (1..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_says_what_it_is_or_nothing() {
        // With | for NUL.
        for (text, want) in [
            ("|mail_version=3.7.11|x", Some(("3.7.11", None))),
            (
                "mail_version=3.7.11|20240304|mail_version=3.7.11|",
                Some(("3.7.11", Some("20240304"))),
            ),
            ("mail_version=3.12-20260821|", Some(("3.12-20260821", Some("20260821")))),
            ("mail_version=3.12-20260821-nonprod|", None),
            // The lone string counts only where there is no other.
            ("mail_version=3.7.11|3.9.1|", Some(("3.7.11", None))),
            ("mail_version|3.11.7|", Some(("3.11.7", None))),
            ("mail_version|3.11.7|3.11.8|", None),
            ("mail_version=3.7.11|mail_version=3.7.12|", None),
            ("mail_version=3.7.11", None),
            ("mail_version=%s|", None),
            ("3.11.7|", None),
            ("mail_version|3.11.7x|1.3|x3.11.7|", None),
            ("mail_version=3.7.11|20240304|20250101|", Some(("3.7.11", None))),
            ("mail_version=99999.1.1|", None),
            ("", None),
        ] {
            let got = Build::of_program(text.replace('|', "\0").as_bytes());
            let got = got.as_ref().map(|it| (it.full_version.as_str(), it.released.as_deref()));
            assert_eq!(got, want, "{text}");
        }
    }

    #[test]
    fn another_version_is_the_distributions_own() {
        let here = Build { debian: true, ..Build::of_version(Version::new(3, 7)) };
        let exact = Build { full_version: "3.7.11".to_owned(), ..here.clone() };
        assert_eq!(exact.in_version(exact.version), exact);
        assert!(exact.in_version(Version::new(3, 5)).debian);
        assert!(!exact.in_version(Version::new(3, 12)).debian);
        assert!(!Build::of_version(Version::new(3, 7)).in_version(Version::new(3, 5)).debian);
    }

    #[test]
    fn a_patch_level_that_is_not_known_is_the_newest() {
        let build = |full_version: &str| Build {
            full_version: full_version.to_owned(),
            ..Build::of_version(Version::NEWEST)
        };
        assert_eq!(build("3.7.11").patch(), 11);
        assert_eq!(build("3.7").patch(), u16::MAX);
        assert_eq!(build("3.12-20260821").patch(), u16::MAX);
    }
}
