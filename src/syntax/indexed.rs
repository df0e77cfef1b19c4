//! What an index holds of a table's source: each key once, in order.
//!
//! Follows `postmap/postmap.c`: keys in lower case, and of equal keys the first one counts. Two such
//! tables are compared by walking along both, which for a million rows takes less time than a map of
//! them.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::table::{self, Kind};
use crate::text::{fold, fold_ascii, in_parts};

/// A key and what it leads to.
type Pair<'t> = (Cow<'t, [u8]>, Cow<'t, [u8]>);

/// Keys and what they lead to, sorted by key.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Indexed<'t> {
    rows: Vec<Pair<'t>>,
}

/// What two tables have for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beside<'r> {
    /// The key.
    pub key: &'r [u8],
    /// What it leads to in the one.
    pub old: Option<&'r [u8]>,
    /// What it leads to in the other.
    pub new: Option<&'r [u8]>,
}

impl<'t> Indexed<'t> {
    /// What postmap makes of a source; any bytes. `utf8`: whether letters beyond ASCII are folded too
    /// (`smtputf8_enable`).
    pub fn of(source: &'t [u8], utf8: bool) -> Indexed<'t> {
        let fold = if utf8 { fold } else { fold_ascii };
        let split = |size| table::parts(source, size).collect();
        let pair = |row: table::Row| {
            let key = match row.key(source) {
                Cow::Borrowed(key) => fold(key),
                Cow::Owned(key) => Cow::Owned(fold(&key).into_owned()),
            };
            (key, row.value(source))
        };
        let mut parts = in_parts(source, split, &|part| -> Vec<Pair<'t>> {
            table::rows(source, part).filter(|row| row.kind == Kind::Entry).map(pair).collect()
        })
        .into_iter();
        let mut rows = parts.next().unwrap_or_default();
        parts.for_each(|it| rows.extend(it));
        // Stable, so that the first one stays in front; of rows that are sorted it takes one pass.
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        rows.dedup_by(|later, first| later.0 == first.0);
        Indexed { rows }
    }

    /// What postmap says that an index holds: a line for each key, a tab behind the key. Quotes in keys are
    /// balanced, and between them a tab belongs to the key.
    pub fn listed(output: &'t [u8]) -> Indexed<'t> {
        let lines = output.split(|byte| *byte == b'\n');
        let pair = |line: &'t [u8]| -> Option<Pair<'t>> {
            let quotes = |tab: usize| memchr::memchr_iter(b'"', &line[..tab]).count();
            let mut tabs = memchr::memchr_iter(b'\t', line);
            let tab = tabs.find(|it| quotes(*it).is_multiple_of(2))?;
            Some((line[..tab].into(), line[tab + 1..].into()))
        };
        let mut rows: Vec<Pair<'t>> = lines.filter_map(pair).collect();
        rows.sort_unstable();
        Indexed { rows }
    }

    /// What a key leads to; it is to be folded.
    pub fn get(&self, key: &[u8]) -> Option<&[u8]> {
        let at = self.rows.binary_search_by(|it| it.0.as_ref().cmp(key)).ok()?;
        Some(self.rows[at].1.as_ref())
    }

    /// All keys, in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.rows.iter().map(|it| it.0.as_ref())
    }

    /// Each key of this one or of the other, in order.
    pub fn beside<'r>(&'r self, new: &'r Indexed<'_>) -> impl Iterator<Item = Beside<'r>> {
        let (mut old, mut new) = (self.rows.iter().peekable(), new.rows.iter().peekable());
        std::iter::from_fn(move || {
            let order = match (old.peek(), new.peek()) {
                (Some(one), Some(other)) => one.0.cmp(&other.0),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return None,
            };
            let before = if order.is_le() { old.next() } else { None };
            let after = if order.is_ge() { new.next() } else { None };
            let key = before.map(|it| it.0.as_ref()).or(after.map(|it| it.0.as_ref()))?;
            let (old, new) = (before.map(|it| it.1.as_ref()), after.map(|it| it.1.as_ref()));
            Some(Beside { key, old, new })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_leads_to_its_first_value() {
        let rows = Indexed::of(
            b"# old\nB.example  MAY,\n  ciphers=high\na.example encrypt\nA.example may\n",
            true,
        );
        assert_eq!(rows.get(b"a.example"), Some(&b"encrypt"[..]));
        assert_eq!(rows.get(b"b.example"), Some(&b"MAY,  ciphers=high"[..]));
        assert_eq!(rows.get(b"B.example"), None);
        assert_eq!(rows.keys().collect::<Vec<_>>(), [b"a.example", b"b.example"]);
    }

    #[test]
    fn which_letters_are_folded_is_a_setting() {
        let source = "\u{c4} 1\nB 2\n".as_bytes();
        assert!(Indexed::of(source, true).keys().eq(["b", "\u{e4}"].map(str::as_bytes)));
        assert!(Indexed::of(source, false).keys().eq(["b", "\u{c4}"].map(str::as_bytes)));
    }

    #[test]
    fn what_postmap_lists_is_what_its_source_says() {
        let source = Indexed::of(b"b 2\na\t1 1\na 3\n", true);
        assert_eq!(source, Indexed::listed(b"b\t2\na\t1 1\n"));
        assert_ne!(source, Indexed::listed(b"b\t2\na\t1 1\nc\t3\n"));
        let quoted = Indexed::of(b"\"x\ty\"  1\t\"2\n", true);
        assert_eq!(quoted, Indexed::listed(b"\"x\ty\"\t1\t\"2\n"));
        assert_eq!(Indexed::of(b"", true), Indexed::listed(b""));
    }

    #[test]
    fn tables_are_walked_along_together() {
        let (old, new) =
            (Indexed::of(b"a 1\nc 1\nd 1\n", true), Indexed::of(b"d 2\nb 1\nc 1\n", true));
        let nothing = &b"-"[..];
        let all = old
            .beside(&new)
            .map(|it| [it.key, it.old.unwrap_or(nothing), it.new.unwrap_or(nothing)].join(&b' '));
        assert_eq!(all.collect::<Vec<_>>(), [b"a 1 -", b"b - 1", b"c 1 1", b"d 1 2"]);
    }
}
