//! Lists of TLS protocols: `protocols=` in policies, and the parameters of that kind.
//!
//! Follows `tls/tls_misc.c` for the list and OpenSSL for what it makes of it. A server does without
//! TLS where it does not take a list; smtp(8) does without, or defers.

use std::fmt;
use std::ops::Range;

use super::Version;

/// A protocol that a list can leave on. SSLv2 is a word that Postfix knows, and no OpenSSL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// Left out of OpenSSL since 1.1.0, unless somebody builds it in.
    Ssl3,
    /// 1.0.
    Tls1,
    /// 1.1.
    Tls1_1,
    /// 1.2.
    Tls1_2,
    /// 1.3.
    Tls1_3,
}

impl Protocol {
    /// From the oldest to the newest.
    pub const ALL: [Protocol; 5] =
        [Protocol::Ssl3, Protocol::Tls1, Protocol::Tls1_1, Protocol::Tls1_2, Protocol::Tls1_3];

    /// The word in lists.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Ssl3 => "SSLv3",
            Protocol::Tls1 => "TLSv1",
            Protocol::Tls1_1 => "TLSv1.1",
            Protocol::Tls1_2 => "TLSv1.2",
            Protocol::Tls1_3 => "TLSv1.3",
        }
    }

    /// Whether RFC 8996 or RFC 7568 says that nobody should use it.
    pub fn is_obsolete(self) -> bool {
        match self {
            Protocol::Ssl3 | Protocol::Tls1 | Protocol::Tls1_1 => true,
            Protocol::Tls1_2 | Protocol::Tls1_3 => false,
        }
    }

    fn parse(word: &[u8]) -> Option<Protocol> {
        Protocol::ALL.into_iter().find(|it| word.eq_ignore_ascii_case(it.name().as_bytes()))
    }

    /// As `>=` and `<=` count, from 0x0300 on.
    fn number(self) -> u32 {
        match self {
            Protocol::Ssl3 => 0x0300,
            Protocol::Tls1 => 0x0301,
            Protocol::Tls1_1 => 0x0302,
            Protocol::Tls1_2 => 0x0303,
            Protocol::Tls1_3 => 0x0304,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a list leaves on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protocols {
    enabled: Vec<Protocol>,
    forgets_newest: bool,
    empty_bound: Option<Range<usize>>,
}

/// Why Postfix does not take a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtocolProblem {
    /// Where the first word stands that it does not know.
    pub word: Range<usize>,
    /// `Some` if a later version knows it.
    pub since: Option<Version>,
}

/// Protocols that are on, older ones that are off, and below them some that are on again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// The newest protocol below the hole.
    pub below: Protocol,
    /// The oldest one in it.
    pub missing: Protocol,
    /// The oldest one above it.
    pub above: Protocol,
}

impl Protocols {
    /// Reads a list as a version of Postfix does.
    pub fn parse(text: &[u8], version: Version) -> Result<Protocols, ProtocolProblem> {
        let (mut floor, mut ceiling) = (0, 0);
        let (mut included, mut excluded) = (Vec::new(), Vec::new());
        let (mut is_inclusion, mut empty_bound) = (false, None);
        for range in words(text) {
            let unknown = |since| ProtocolProblem { word: range.clone(), since };
            match Word::parse(&text[range.clone()]).ok_or_else(|| unknown(None))? {
                Word::Floor(_) | Word::Ceiling(_) if version < BOUNDS_SINCE => {
                    return Err(unknown(Some(BOUNDS_SINCE)));
                }
                Word::Floor(bound) => floor = bound,
                Word::Ceiling(bound) => ceiling = bound,
                // With an OpenSSL that has no SSLv2 its name is no inclusion, nor anything else.
                Word::Include(protocol) => {
                    is_inclusion |= protocol.is_some();
                    included.extend(protocol);
                }
                Word::Exclude(protocol) => excluded.extend(protocol),
            }
            if range.len() == 2 && text[range.clone()].ends_with(b"=") {
                empty_bound.get_or_insert(range);
            }
        }
        // OpenSSL ignores numbers that are no protocol's.
        let is_one = |bound| Protocol::ALL.iter().any(|it| it.number() == bound);
        let bounds = |it: &Protocol| {
            (!is_one(floor) || floor <= it.number()) && (!is_one(ceiling) || it.number() <= ceiling)
        };
        let not_excluded = |it: &Protocol| !excluded.contains(it) && bounds(it);
        let is_enabled =
            |it: &Protocol| not_excluded(it) && (!is_inclusion || included.contains(it));
        Ok(Protocols {
            enabled: Protocol::ALL.into_iter().filter(is_enabled).collect(),
            forgets_newest: not_excluded(&Protocol::Tls1_3) && !is_enabled(&Protocol::Tls1_3),
            empty_bound,
        })
    }

    /// What a server takes, from the oldest to the newest; a hole is nothing to it.
    pub fn enabled(&self) -> impl Iterator<Item = Protocol> {
        self.enabled.iter().copied()
    }

    /// What a client offers: of a list with a hole only what is below.
    pub fn offered(&self) -> impl Iterator<Item = Protocol> {
        let hole = self.hole();
        self.enabled().filter(move |it| hole.is_none_or(|hole| *it <= hole.below))
    }

    /// Whether nothing is left on.
    pub fn is_empty(&self) -> bool {
        self.enabled.is_empty()
    }

    /// Whether TLSv1.3 is off only because the list names others: nothing excludes it.
    pub fn forgets_newest(&self) -> bool {
        self.forgets_newest
    }

    /// A `>=` or `<=` with nothing behind it, which bounds nothing: `>= TLSv1.2` is TLSv1.2 alone.
    pub fn empty_bound(&self) -> Option<Range<usize>> {
        self.empty_bound.clone()
    }

    /// The lowest hole. SSLv3 counts for nothing: OpenSSL is built without it.
    pub fn hole(&self) -> Option<Hole> {
        let usable = self.enabled().filter(|it| *it != Protocol::Ssl3);
        let usable: Vec<Protocol> = usable.collect();
        let pair = usable.windows(2).find(|it| it[1].number() - it[0].number() > 1)?;
        let missing = Protocol::ALL.into_iter().find(|it| *it > pair[0])?;
        Some(Hole { below: pair[0], missing, above: pair[1] })
    }
}

/// The first version that takes a list; `None` if none does.
pub fn protocols_since(list: &[u8]) -> Option<Version> {
    Protocols::parse(list, Version::NEWEST).ok()?;
    match Protocols::parse(list, Version::new(2, 3)) {
        Ok(_) => Some(Version::new(2, 3)),
        Err(problem) => problem.since,
    }
}

/// The first version with `>=` and `<=`.
const BOUNDS_SINCE: Version = Version::new(3, 6);

enum Word {
    Floor(u32),
    Ceiling(u32),
    Include(Option<Protocol>),
    Exclude(Option<Protocol>),
}

impl Word {
    fn parse(word: &[u8]) -> Option<Word> {
        let name = |name: &[u8]| match Protocol::parse(name) {
            None => name.eq_ignore_ascii_case(b"SSLv2").then_some(None),
            known => Some(known),
        };
        match word {
            [b'>', b'=', bound @ ..] => Some(Word::Floor(number(bound)?)),
            [b'<', b'=', bound @ ..] => Some(Word::Ceiling(number(bound)?)),
            [b'!', excluded @ ..] => Some(Word::Exclude(name(excluded)?)),
            included => Some(Word::Include(name(included)?)),
        }
    }
}

/// A bound: a protocol's name or its number in hexadecimal as strtoul(3) reads it; `none`, or
/// nothing at all, is 0.
fn number(word: &[u8]) -> Option<u32> {
    if let Some(protocol) = Protocol::parse(word) {
        return Some(protocol.number());
    }
    if word.is_empty() || word.eq_ignore_ascii_case(b"none") {
        return Some(0);
    }
    let digits = word.strip_prefix(b"-").or_else(|| word.strip_prefix(b"+")).unwrap_or(word);
    let prefix = [b"0x", b"0X"].into_iter().find_map(|it| digits.strip_prefix(it));
    let digits = prefix.unwrap_or(digits);
    // `from_str_radix` takes a sign, of which there was one already.
    let digits = str::from_utf8(digits).ok().filter(|it| !it.starts_with(['+', '-']))?;
    let number =
        u32::from_str_radix(digits, 16).ok().filter(|it| *it <= i32::MAX.unsigned_abs())?;
    (!word.starts_with(b"-") || number == 0).then_some(number)
}

pub(super) fn words(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    let words = text.split(|it| b", \t\r\n:".contains(it)).map(move |word| {
        let range = start..start + word.len();
        start = range.end + 1;
        range
    });
    words.filter(|it| !it.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_taken_as_by_postfix() {
        for list in ["", "TLSv1.2", "!SSLv2, !sslv3", "TLSv1.2:TLSv1.3", ":,"] {
            assert_eq!(protocols_since(list.as_bytes()), Some(Version::new(2, 3)), "{list}");
        }
        for list in
            [">=TLSv1.2", "!SSLv3:<=TLSv1.3", ">=0303", "<=0x304", ">=", ">=none", ">=+303", ">=-0"]
        {
            assert_eq!(protocols_since(list.as_bytes()), Some(Version::new(3, 6)), "{list}");
        }
        for list in [
            "TLSv1.4",
            "!",
            "!>=TLSv1",
            ">=SSLv2",
            ">=TLSv1.2.1",
            "{TLSv1.2, TLSv1.3}",
            ">=0x",
            ">=-1",
            ">=0x+303",
            ">=80000000",
            ">=TLSv1.2 TLSv1.4",
        ] {
            assert_eq!(protocols_since(list.as_bytes()), None, "{list}");
        }
    }

    #[test]
    fn what_is_left_on_is_what_openssl_negotiates() {
        for (list, enabled, offered) in [
            ("", "SSLv3 TLSv1 TLSv1.1 TLSv1.2 TLSv1.3", "SSLv3 TLSv1 TLSv1.1 TLSv1.2 TLSv1.3"),
            ("!SSLv2, !SSLv3", "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3", "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3"),
            (">=TLSv1.2", "TLSv1.2 TLSv1.3", "TLSv1.2 TLSv1.3"),
            (">=TLSv1.1 >=0303 <=TLSv1.3", "TLSv1.2 TLSv1.3", "TLSv1.2 TLSv1.3"),
            // No protocol has this number.
            (">=0305 <=TLSv1", "SSLv3 TLSv1", "SSLv3 TLSv1"),
            (">=TLSv1 !TLSv1.1", "TLSv1 TLSv1.2 TLSv1.3", "TLSv1"),
            (">=TLSv1 !TLSv1.2", "TLSv1 TLSv1.1 TLSv1.3", "TLSv1 TLSv1.1"),
            ("tlsv1.1, TLSv1.3", "TLSv1.1 TLSv1.3", "TLSv1.1"),
            // Without SSLv3, as OpenSSL is built, this has no hole.
            ("!TLSv1, !TLSv1.1", "SSLv3 TLSv1.2 TLSv1.3", "SSLv3 TLSv1.2 TLSv1.3"),
            (">= TLSv1.2", "TLSv1.2", "TLSv1.2"),
            ("SSLv2 >=TLSv1.2", "TLSv1.2 TLSv1.3", "TLSv1.2 TLSv1.3"),
            ("TLSv1.2:>=TLSv1.3", "", ""),
        ] {
            let protocols = Protocols::parse(list.as_bytes(), Version::NEWEST).expect(list);
            let names = |it: &mut dyn Iterator<Item = Protocol>| {
                it.map(Protocol::name).collect::<Vec<_>>().join(" ")
            };
            assert_eq!(names(&mut protocols.enabled()), enabled, "{list}");
            assert_eq!(names(&mut protocols.offered()), offered, "{list}");
            assert_eq!(protocols.is_empty(), enabled.is_empty(), "{list}");
        }
    }

    #[test]
    fn the_newest_is_forgotten_where_nothing_excludes_it() {
        for (list, forgets) in [
            ("TLSv1.2", true),
            ("TLSv1.2, TLSv1.1, !SSLv3", true),
            (">= TLSv1.2", true),
            ("TLSv1.2, !TLSv1.3", false),
            ("TLSv1.2 <=TLSv1.2", false),
            ("TLSv1.2 TLSv1.3", false),
            ("<=TLSv1.2", false),
            ("!TLSv1.1", false),
        ] {
            let protocols = Protocols::parse(list.as_bytes(), Version::NEWEST).expect(list);
            assert_eq!(protocols.forgets_newest(), forgets, "{list}");
        }
    }

    #[test]
    fn the_first_bad_word_is_found() {
        let problem =
            |list: &[u8], version| Protocols::parse(list, version).expect_err("it is wrong");
        let (old, new) = (Version::new(3, 5), Version::new(3, 6));
        assert_eq!(
            problem(b"!SSLv3, >=TLSv1.2", old),
            ProtocolProblem { word: 8..17, since: Some(new) }
        );
        assert_eq!(problem(b"!SSLv3,TLSv1.4 x", new), ProtocolProblem { word: 7..14, since: None });
        let bound = Protocols::parse(b"!SSLv3 >= TLSv1.2", new).expect("it is right").empty_bound();
        assert_eq!(bound, Some(7..9));
    }
}
