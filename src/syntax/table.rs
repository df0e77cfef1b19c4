//! The source text of a lookup table, as postmap and texthash split it.
//!
//! Follows `postmap/postmap.c` and `util/dict_thash.c`: the key ends at the
//! first white space that is not inside double quotes, the rest is the value.
//! The key keeps its quotes. Whether a key is folded to lower case, and which
//! of two equal keys counts, is the business of whoever reads the table.

use std::ops::Range;

use super::lines::{self, Joined, Logical};
use super::{is_space, trim};

/// A parsed table: some 16 bytes for each row, whatever the row's length.
#[derive(Debug, Default)]
pub struct Table {
    /// In the order of the file.
    pub rows: Vec<Row>,
}

/// One logical line of a table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    line: Logical,
    /// Where the key ends in the joined text.
    key_end: u32,
    /// What Postfix makes of it.
    pub kind: Kind,
}

/// What Postfix makes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `key value`.
    Entry,
    /// A key alone: ignored with a warning, postmap exits 0.
    MissingValue,
    /// An odd number of `"`: ignored with a warning, postmap exits 0.
    UnbalancedQuote,
    /// A first logical line that begins with white space: skipped with a warning.
    Orphan,
}

/// The text of one row and the way back to its bytes.
#[derive(Debug)]
pub struct RowText<'a> {
    joined: Joined<'a>,
    key_end: usize,
    value: Range<usize>,
}

/// Reads any bytes; never fails.
pub fn parse(bytes: &[u8]) -> Table {
    // Rows are seldom shorter than this; the guess saves copying a large table's list.
    let mut rows = Vec::with_capacity(bytes.len() / 48);
    rows.extend(lines::logical_lines(bytes).map(|line| row(bytes, line)));
    Table { rows }
}

impl Row {
    /// Where the row stands in the source, from its key to the end of its last line.
    pub fn range(&self) -> Range<usize> {
        self.line.start as usize..self.line.end as usize
    }

    /// The key as it is written in `bytes`, the whole source.
    pub fn key_range(&self, bytes: &[u8]) -> Range<usize> {
        let straight = self.line.start as usize..(self.line.start + self.key_end) as usize;
        // Only a quoted key can run over a line's end.
        if self.line.plain || memchr::memchr(b'\n', &bytes[straight.clone()]).is_none() {
            straight
        } else {
            self.line.join(bytes).locate(0..self.key_end as usize)
        }
    }

    /// Key and value, joined from the whole source.
    pub fn text<'a>(&self, bytes: &'a [u8]) -> RowText<'a> {
        let joined = self.line.join(bytes);
        let key_end = self.key_end as usize;
        let (start, value) = trim(&joined.text[key_end..]);
        let value = key_end + start..key_end + start + value.len();
        RowText { joined, key_end, value }
    }
}

impl RowText<'_> {
    /// The key, quotes included, case as written.
    pub fn key(&self) -> &[u8] {
        &self.joined.text[..self.key_end]
    }

    /// The value without outer white space; empty where there is none.
    pub fn value(&self) -> &[u8] {
        &self.joined.text[self.value.clone()]
    }

    /// Where a part of [`RowText::value`] stands in the source.
    pub fn locate(&self, range: Range<usize>) -> Range<usize> {
        self.joined.locate(self.value.start + range.start..self.value.start + range.end)
    }
}

fn row(bytes: &[u8], line: Logical) -> Row {
    let joined = line.join(bytes);
    let text = joined.text.as_ref();
    let (key_end, balanced) = key_end(text);
    let kind = if text.first().copied().is_some_and(is_space) {
        Kind::Orphan
    } else if !balanced {
        Kind::UnbalancedQuote
    } else if trim(&text[key_end..]).1.is_empty() {
        Kind::MissingValue
    } else {
        Kind::Entry
    };
    Row { line, key_end: crate::text::offset(key_end), kind }
}

/// Where the key ends, and whether its quotes are closed.
fn key_end(text: &[u8]) -> (usize, bool) {
    let (mut at, mut quoted) = (0, false);
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' => at += 1,
            b'"' => quoted = !quoted,
            byte if is_space(*byte) && !quoted => break,
            _ => {}
        }
        at += 1;
    }
    (at.min(text.len()), !quoted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &str) -> Vec<(String, String, Kind)> {
        let bytes = source.as_bytes();
        let owned = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
        let show = |row: &Row| {
            let text = row.text(bytes);
            (owned(text.key()), owned(text.value()), row.kind)
        };
        parse(bytes).rows.iter().map(show).collect()
    }

    /// Each row was tried with `postmap -s texthash:` of 3.5 to 3.12.
    #[test]
    fn rows_are_split_as_in_postmap() {
        for (source, key, value, kind) in [
            ("k v\n", "k", "v", Kind::Entry),
            ("k\tv w  \r\n", "k", "v w", Kind::Entry),
            ("k\n  v\n# c\n w\n", "k", "v w", Kind::Entry),
            ("k # v", "k", "# v", Kind::Entry),
            ("k = v", "k", "= v", Kind::Entry),
            ("k: v", "k:", "v", Kind::Entry),
            ("\"a b\" v", "\"a b\"", "v", Kind::Entry),
            ("a\\ b v", "a\\ b", "v", Kind::Entry),
            ("k", "k", "", Kind::MissingValue),
            ("k \t\r\n", "k", "", Kind::MissingValue),
            ("k\n# c\n\n", "k", "", Kind::MissingValue),
            ("a\"b c", "a\"b c", "", Kind::UnbalancedQuote),
            (" k v\n", "", "k v", Kind::Orphan),
            ("k v\0w", "k", "v", Kind::Entry),
            ("k\0v w", "k", "", Kind::MissingValue),
            ("k\\", "k\\", "", Kind::MissingValue),
            ("k\\\n", "k\\", "", Kind::MissingValue),
            ("\"a\n b\" c", "\"a b\"", "c", Kind::Entry),
        ] {
            assert_eq!(read(source), [(key.into(), value.into(), kind)], "{source:?}");
        }
    }
}
