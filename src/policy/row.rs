//! The right-hand side of smtp_tls_policy_maps: `LEVEL [ATTRIBUTE=VALUE]…`.
//!
//! Follows `smtp/smtp_tls_policy.c`. smtp(8) stops at the first mistake and
//! defers all mail to the destination; here all of them are found. A value is
//! judged as Postfix of one version would, with the digest that main.cf puts
//! in force.

use std::ops::Range;

use crate::postfix::{Digest, Fingerprint, SecurityLevel, Version, protocols_since};
use crate::syntax::is_space;
use crate::syntax::lists::{self, BAR, COMMA_SPACE};

/// A right-hand side as written: words without judgement.
#[derive(Debug)]
pub struct Row<'a> {
    text: &'a [u8],
    /// The first word; empty, at the end, where there is none.
    pub level: Range<usize>,
    /// Where the words behind the level begin.
    behind: usize,
}

/// One word behind the level. All ranges are those of the right-hand side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The whole word.
    pub word: Range<usize>,
    /// The part before the `=`; the whole word where there is none.
    pub name: Range<usize>,
    /// The part behind the `=`.
    pub value: Option<Range<usize>>,
}

/// What smtp(8) needs to know to judge a row.
#[derive(Clone, Copy, Debug)]
pub struct Judge {
    /// The Postfix that must accept it.
    pub version: Version,
    /// The digest in force; `None` if it is one that postls does not know.
    pub digest: Option<Digest>,
}

/// Why smtp(8) defers, or does not do what the row says.
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
    /// A word that is no attribute.
    UnknownAttribute,
    /// An attribute, or a way to write one, that came with this version, later than the one at hand.
    NewerAttribute(Version),
    /// `match=` at a level that compares nothing.
    MatchAtWrongLevel(SecurityLevel),
    /// A value that is no fingerprint at all: dropped with a warning.
    MalformedFingerprint,
    /// A fingerprint without colons, which a Postfix before 3.6 takes for text that matches nothing.
    CompactFingerprint,
    /// A fingerprint of another digest than the one in force: it matches nothing.
    FingerprintLength(Fingerprint, Digest),
    /// Level fingerprint without `match=`; smtp_tls_fingerprint_cert_match may still have some.
    NoFingerprint,
    /// A word that begins with `#`.
    Comment,
    /// An attribute that cannot stand so.
    Refused(Refused),
}

/// Why smtp(8) refuses an attribute that it knows.
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
    /// Braces, which stay a part of the value, in one that has none.
    Braces,
    /// No cipher grade.
    NotGrade,
}

/// The attributes and the version that brought each, where it is later than 2.3.
const ATTRIBUTES: &[(&str, Version)] = &[
    ("ciphers", Version::new(2, 3)),
    ("connection_reuse", Version::new(3, 4)),
    ("enable_rpk", Version::new(3, 9)),
    ("exclude", Version::new(2, 6)),
    ("match", Version::new(2, 3)),
    ("mx_host_pattern", Version::new(3, 10)),
    ("policy_domain", Version::new(3, 10)),
    ("policy_failure", Version::new(3, 10)),
    ("policy_string", Version::new(3, 10)),
    ("policy_ttl", Version::new(3, 10)),
    ("policy_type", Version::new(3, 10)),
    ("protocols", Version::new(2, 3)),
    ("servername", Version::new(3, 4)),
    ("tafile", Version::new(2, 11)),
];

/// Names of all attributes, for suggestions.
pub fn attribute_names() -> impl Iterator<Item = &'static str> {
    ATTRIBUTES.iter().map(|(name, _)| *name)
}

/// The attribute that Postfix takes `name` for; upper and lower case are the same to it.
fn known(name: &[u8]) -> Option<&'static (&'static str, Version)> {
    // In nearly all rows it is lower case, which is compared much faster.
    let as_written = ATTRIBUTES.iter().find(|(it, _)| name == it.as_bytes());
    as_written
        .or_else(|| ATTRIBUTES.iter().find(|(it, _)| name.eq_ignore_ascii_case(it.as_bytes())))
}

/// Splits a right-hand side into words; never fails.
pub fn parse(text: &[u8]) -> Row<'_> {
    match lists::words(text, COMMA_SPACE).next() {
        Some(word) if text[word.start] != b'#' => Row { text, behind: word.end, level: word },
        Some(_) | None => Row { text, behind: 0, level: text.len()..text.len() },
    }
}

/// `name=value`, or since 3.10 `{ name = value }`.
fn attribute(text: &[u8], word: Range<usize>) -> Attribute {
    let lists::Assignment { name, value, braces } = lists::assignment(text, word.clone());
    Attribute { word, name, value: value.filter(|_| braces.is_none()) }
}

impl Row<'_> {
    /// The level, if Postfix knows it.
    pub fn security_level(&self) -> Option<SecurityLevel> {
        SecurityLevel::parse(&self.text[self.level.clone()])
    }

    /// The words behind the level. They are split when somebody asks: a table
    /// of a million rows needs no million lists.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute> {
        let words = self.words().take_while(|word| self.text[word.start] != b'#');
        words.map(|word| attribute(self.text, word))
    }

    fn words(&self) -> impl Iterator<Item = Range<usize>> {
        lists::words(&self.text[self.behind..], COMMA_SPACE)
            .map(|word| self.behind + word.start..self.behind + word.end)
    }

    /// The values of an attribute, in the order of the row.
    pub fn values(&self, name: &str) -> impl Iterator<Item = Range<usize>> {
        self.attributes()
            .filter(move |it| self.text[it.name.clone()].eq_ignore_ascii_case(name.as_bytes()))
            .filter_map(|it| it.value)
    }

    /// Hands every problem of the row to `found`.
    pub fn problems(&self, judge: Judge, found: &mut dyn FnMut(Problem)) {
        let mut note = |range: Range<usize>, what: What| found(Problem { range, what });
        let level = self.security_level();
        if level == Some(SecurityLevel::None) {
            // Whatever follows is ignored with a warning.
            return;
        }
        let compares_names = matches!(level, Some(SecurityLevel::Verify | SecurityLevel::Secure));
        let mut matches = 0;
        let mut seen: Vec<&str> = Vec::new();
        for word in self.words() {
            // To Postfix a word like the others; to whoever wrote it, the end of the row.
            if self.text[word.start] == b'#' {
                note(word.start..self.text.len(), What::Comment);
                break;
            }
            // Four of five rows say this and no more: it needs no closer look.
            if compares_names && is_plain_match(&self.text[word.clone()]) {
                continue;
            }
            let attribute = attribute(self.text, word);
            let name = &self.text[attribute.name.clone()];
            let known = known(name);
            let braces = self.text[attribute.word.start] == b'{';
            let (Some((name, since)), Some(value)) = (known, attribute.value) else {
                note(attribute.word.clone(), What::UnknownAttribute);
                continue;
            };
            let text = &self.text[value.clone()];
            let since = match *name {
                _ if braces => Version::new(3, 10),
                "protocols" => protocols_since(text).unwrap_or(*since),
                _ => *since,
            };
            if judge.version < since {
                note(attribute.word.clone(), What::NewerAttribute(since));
            }
            // Before 3.10 the word would end at the first blank or comma, but that makes it no better.
            let refused = refused(name, text, level, &seen);
            if let Some(why) = refused {
                note(attribute.word.clone(), What::Refused(why));
            }
            if refused == Some(Refused::Braces) {
                continue;
            }
            // Alone in nearly all rows, and free to stand more than once.
            if *name != "match" {
                seen.push(name);
                continue;
            }
            if text.is_empty() {
                continue;
            }
            matches += usize::from(
                level != Some(SecurityLevel::Fingerprint) || text.iter().any(|it| *it != b'|'),
            );
            match level {
                Some(SecurityLevel::Fingerprint) => self.fingerprints(value, judge, &mut note),
                Some(level) if !level.takes_match() => {
                    note(attribute.word.clone(), What::MatchAtWrongLevel(level));
                }
                Some(_) | None => {}
            }
        }
        if level.is_none() {
            note(self.level.clone(), What::Level);
        }
        if level == Some(SecurityLevel::Fingerprint) && matches == 0 {
            note(self.level.clone(), What::NoFingerprint);
        }
    }

    /// The fingerprints of one `match=`, which stand between `|`.
    fn fingerprints(
        &self,
        value: Range<usize>,
        judge: Judge,
        note: &mut dyn FnMut(Range<usize>, What),
    ) {
        for item in lists::words(&self.text[value.clone()], BAR) {
            let range = value.start + item.start..value.start + item.end;
            let text = &self.text[range.clone()];
            let compact = |it: &Fingerprint| {
                judge.version < Version::new(3, 6)
                    && !it.to_string().as_bytes().eq_ignore_ascii_case(text)
            };
            match (Fingerprint::parse(text), judge.digest) {
                (None, _) => note(range, What::MalformedFingerprint),
                (Some(it), _) if compact(&it) => note(range, What::CompactFingerprint),
                (Some(it), Some(digest)) if it.length() != digest.length() => {
                    note(range, What::FingerprintLength(it, digest));
                }
                (Some(_), _) => {}
            }
        }
    }
}

/// Whether a word is `match=` in its usual form, with names behind it.
fn is_plain_match(word: &[u8]) -> bool {
    word.strip_prefix(b"match=").is_some_and(|names| {
        names.last().is_some_and(|last| !is_space(*last)) && memchr::memchr(b'{', names).is_none()
    })
}

/// Why an attribute cannot stand so, if there is a reason; `seen` are those before it.
fn refused(
    name: &str,
    value: &[u8],
    level: Option<SecurityLevel>,
    seen: &[&str],
) -> Option<Refused> {
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
    // The last three are weak; 3.8 and newer take "low" and "export" for "medium".
    const GRADES: &[&str] = &["high", "medium", "low", "export", "null"];
    const FILLED: &[&str] = &["ciphers", "match", "tafile"];
    if memchr::memchr(b'{', value).is_some() && !name.starts_with("policy_") {
        return Some(Refused::Braces);
    }
    if ONCE.contains(&name) && seen.contains(&name) {
        return Some(Refused::Repeated);
    }
    if FILLED.contains(&name) && value.is_empty() {
        return Some(Refused::Empty);
    }
    match (name, level) {
        ("tafile", Some(level))
            if !matches!(level, SecurityLevel::Verify | SecurityLevel::Secure) =>
        {
            Some(Refused::WrongLevel(level))
        }
        ("connection_reuse" | "enable_rpk", _) => {
            let known = value.eq_ignore_ascii_case(b"yes") || value.eq_ignore_ascii_case(b"no");
            (!known).then_some(Refused::NotYesNo)
        }
        ("servername" | "policy_domain", _) => {
            (!is_hostname(value)).then_some(Refused::NotHostname)
        }
        ("ciphers", _) => {
            let known = GRADES.iter().any(|it| value.eq_ignore_ascii_case(it.as_bytes()));
            (!known).then_some(Refused::NotGrade)
        }
        ("protocols", _) => protocols_since(value).is_none().then_some(Refused::NotProtocols),
        _ => None,
    }
}

/// Labels of letters, digits, `-` and `_`, and not digits and dots alone (`util/valid_hostname.c`).
pub fn is_hostname(text: &[u8]) -> bool {
    let label = |it: &[u8]| {
        (1..=63).contains(&it.len())
            && !it.starts_with(b"-")
            && !it.ends_with(b"-")
            && it.iter().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_'))
    };
    text.len() <= 255
        && text.split(|it| *it == b'.').all(label)
        && !text.iter().all(|it| it.is_ascii_digit() || *it == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str, version: Version) -> Vec<String> {
        let mut found = Vec::new();
        let judge = Judge { version, digest: Some(Digest::Sha1) };
        parse(text.as_bytes()).problems(judge, &mut |problem| {
            let what = match problem.what {
                What::Level => "level",
                What::UnknownAttribute => "unknown",
                What::NewerAttribute(_) => "newer",
                What::MatchAtWrongLevel(_) => "match",
                What::MalformedFingerprint => "malformed",
                What::CompactFingerprint => "compact",
                What::FingerprintLength(..) => "length",
                What::NoFingerprint => "no fingerprint",
                What::Comment => "comment",
                What::Refused(_) => "refused",
            };
            found.push(format!("{what} {}", &text[problem.range]));
        });
        found
    }

    #[test]
    fn rows_are_judged_as_by_smtp() {
        let pin = "AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0:B4:88:CD:9B";
        let good = format!("fingerprint match={pin}|{}", pin.replace(':', "").to_lowercase());
        for text in [
            "encrypt",
            "MAY",
            "encrypt,ciphers=high\tprotocols=>=TLSv1.2",
            "secure match=.example.com:nexthop Match=b",
            "none whatever you=like",
            "verify tafile=a tafile=b servername=x connection_reuse=yes exclude=",
            &good,
        ] {
            assert_eq!(problems(text, Version::new(3, 7)), [] as [&str; 0], "{text}");
        }
        for (text, want) in [
            ("encypt", &["level encypt"] as &[&str]),
            (",", &["level "]),
            ("\"encrypt\"", &["level \"encrypt\""]),
            ("encrypt # c d", &["comment # c d"]),
            ("# c", &["comment # c", "level "]),
            ("encrypt cipher=high", &["unknown cipher=high"]),
            ("encrypt foo =x", &["unknown foo", "unknown =x"]),
            ("may match=x", &["match match=x"]),
            ("dane match=x, match=y", &["match match=x", "match match=y"]),
            ("fingerprint", &["no fingerprint fingerprint"]),
            ("fingerprint match=AD:F3|zz", &["length AD:F3", "malformed zz"]),
            ("encrypt enable_rpk=yes", &["newer enable_rpk=yes"]),
            ("encrypt {ciphers = high}", &["newer {ciphers = high}"]),
            ("encrypt exclude={A, B}", &["refused exclude={A, B}"]),
            ("secure match={a, b}", &["refused match={a, b}"]),
            ("encrypt ciphers=strong", &["refused ciphers=strong"]),
            ("encrypt protocols={TLSv1.2, TLSv1.3}", &["refused protocols={TLSv1.2, TLSv1.3}"]),
            ("encrypt protocols=TLSv1.2:TLSv1.4", &["refused protocols=TLSv1.2:TLSv1.4"]),
            ("encrypt ciphers=", &["refused ciphers="]),
            ("encrypt ciphers=high Ciphers=high", &["refused Ciphers=high"]),
            ("encrypt tafile=x", &["refused tafile=x"]),
            ("secure match= servername=a..b", &["refused match=", "refused servername=a..b"]),
            ("fingerprint match=|", &["no fingerprint fingerprint"]),
            ("encrypt connection_reuse=maybe", &["refused connection_reuse=maybe"]),
        ] {
            assert_eq!(problems(text, Version::new(3, 7)), want, "{text}");
        }
        for text in ["encrypt enable_rpk=yes", "encrypt {ciphers = high}"] {
            assert_eq!(problems(text, Version::new(3, 10)), [] as [&str; 0], "{text}");
        }
        let bound = "encrypt protocols=>=TLSv1.2";
        assert_eq!(problems(bound, Version::new(3, 5)), ["newer protocols=>=TLSv1.2"]);
        assert_eq!(problems(bound, Version::new(3, 6)), [] as [&str; 0]);
        let pins = format!("fingerprint match={}|{}", pin.to_lowercase(), pin.replacen(':', "", 1));
        let compact = format!("compact {}", pin.replacen(':', "", 1));
        assert_eq!(problems(&pins, Version::new(3, 5)), [compact]);
        assert_eq!(problems(&pins, Version::new(3, 6)), [] as [&str; 0]);
    }
}
