//! The right-hand side of smtp_tls_policy_maps: `LEVEL [ATTRIBUTE=VALUE]…`.
//!
//! The words as they are written (`smtp/smtp_tls_policy.c`); what is wrong with them is in
//! `problems`.

use std::ops::Range;

use crate::postfix::{SecurityLevel, Version};
use crate::syntax::lists::{self, COMMA_SPACE};

/// A right-hand side as written: words without judgement.
#[derive(Debug)]
pub struct Row<'a> {
    pub(super) text: &'a [u8],
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
pub(super) fn known(name: &[u8]) -> Option<&'static (&'static str, Version)> {
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
pub(super) fn attribute(text: &[u8], word: Range<usize>) -> Attribute {
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

    pub(super) fn words(&self) -> impl Iterator<Item = Range<usize>> {
        lists::words(&self.text[self.behind..], COMMA_SPACE)
            .map(|word| self.behind + word.start..self.behind + word.end)
    }

    /// The values of an attribute, in the order of the row.
    pub fn values(&self, name: &str) -> impl Iterator<Item = Range<usize>> {
        self.attributes()
            .filter(move |it| self.text[it.name.clone()].eq_ignore_ascii_case(name.as_bytes()))
            .filter_map(|it| it.value)
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
