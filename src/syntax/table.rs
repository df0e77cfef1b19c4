//! The source text of a lookup table, as postmap and texthash split it.
//!
//! Follows `postmap/postmap.c` and `util/dict_thash.c`: the key ends at the
//! first white space that is not inside double quotes, the rest is the value.
//! The key keeps its quotes. Whether a key is folded to lower case, and which
//! of two equal keys counts, is the business of whoever reads the table.

use std::borrow::Cow;
use std::ops::Range;

use super::lines::{self, Joined, Logical};
use super::{is_space, trim};

/// A parsed table: 16 bytes for each row, whatever the row's length.
#[derive(Debug, Default)]
pub struct Table {
    /// In the order of the file.
    pub rows: Vec<Row>,
}

/// One logical line of a table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    // The fields of its `Logical`, which would take more room in one piece.
    start: u32,
    end: u32,
    plain: bool,
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
    Table { rows: parse_part(bytes, 0..bytes.len()) }
}

/// The rows of one of the [`parts`] of `bytes`, the whole source.
pub fn parse_part(bytes: &[u8], part: Range<usize>) -> Vec<Row> {
    // Rows are seldom shorter than this; the guess saves copying a large table's list.
    let mut rows = Vec::with_capacity(part.len() / 48);
    rows.extend(self::rows(bytes, part));
    rows
}

/// The same, one after the other.
pub fn rows(bytes: &[u8], part: Range<usize>) -> impl Iterator<Item = Row> {
    let bytes = &bytes[..part.end];
    lines::logical_lines_from(bytes, part.start).map(|line| row(bytes, line))
}

/// Parts of `size` bytes or some more that can be parsed each for itself: all
/// but the first begin where a logical line does.
pub fn parts(bytes: &[u8], size: usize) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        if start == bytes.len() {
            return None;
        }
        let mut end = bytes.len().min(start + size.max(1));
        while end < bytes.len()
            && !(bytes[end - 1] == b'\n' && lines::begins_with_text(&bytes[end..]))
        {
            end = lines::line_end(bytes, end);
        }
        Some(std::mem::replace(&mut start, end)..end)
    })
}

impl Row {
    /// Where the row stands in the source, from its key to the end of its last line.
    pub fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The key as it is written in `bytes`, the whole source.
    pub fn key_range(&self, bytes: &[u8]) -> Range<usize> {
        let straight = self.start as usize..(self.start + self.key_end) as usize;
        // Only a quoted key can run over a line's end.
        if self.plain || memchr::memchr(b'\n', &bytes[straight.clone()]).is_none() {
            straight
        } else {
            self.line().join(bytes).locate(0..self.key_end as usize)
        }
    }

    /// What [`RowText::key`] says, copied only where it runs over several lines.
    pub fn key<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        match self.line().plain_text(bytes) {
            Some(text) => text[..self.key_end as usize].into(),
            None => self.text(bytes).key().to_vec().into(),
        }
    }

    /// What [`RowText::value`] says, copied only where it runs over several lines.
    pub fn value<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        match self.line().plain_text(bytes) {
            Some(text) => trim(&text[self.key_end as usize..]).1.into(),
            None => self.text(bytes).value().to_vec().into(),
        }
    }

    /// Key and value, joined from the whole source.
    pub fn text<'a>(&self, bytes: &'a [u8]) -> RowText<'a> {
        let joined = self.line().join(bytes);
        let key_end = self.key_end as usize;
        let (start, value) = trim(&joined.text[key_end..]);
        let value = key_end + start..key_end + start + value.len();
        RowText { joined, key_end, value }
    }

    fn line(&self) -> Logical {
        Logical { start: self.start, end: self.end, plain: self.plain }
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
    let joined;
    let text = match line.plain_text(bytes) {
        Some(text) => text,
        None => {
            joined = line.join(bytes);
            &joined.text
        }
    };
    let (key_end, balanced) = key_end(text);
    let kind = if text.first().copied().is_some_and(is_space) {
        Kind::Orphan
    } else if !balanced {
        Kind::UnbalancedQuote
    } else if text[key_end..].iter().copied().all(is_space) {
        Kind::MissingValue
    } else {
        Kind::Entry
    };
    let Logical { start, end, plain } = line;
    Row { start, end, key_end: crate::text::offset(key_end), plain, kind }
}

/// Where the key ends, and whether its quotes are closed.
fn key_end(text: &[u8]) -> (usize, bool) {
    let (mut at, mut quoted) = (0, false);
    while let Some(skipped) = text.get(at..).and_then(next_of_interest) {
        at += skipped;
        match text[at] {
            b'\\' => at += 1,
            b'"' => quoted = !quoted,
            byte if is_space(byte) && !quoted => return (at, true),
            _ => {}
        }
        at += 1;
    }
    (text.len(), !quoted)
}

/// The first byte that may be white space, a quote or a backslash: names are
/// made of other bytes. Sixteen are compared in one go, without a branch.
fn next_of_interest(text: &[u8]) -> Option<usize> {
    let interesting = |byte| matches!(byte, 0..=b'"' | b'\\');
    let (chunks, rest) = text.as_chunks::<16>();
    for (index, chunk) in chunks.iter().enumerate() {
        let marks = chunk.map(|byte| if interesting(byte) { 0xff } else { 0 });
        let before = u128::from_le_bytes(marks).trailing_zeros() as usize / 8;
        if before < 16 {
            return Some(index * 16 + before);
        }
    }
    let at = rest.iter().position(|byte| interesting(*byte))?;
    Some(chunks.len() * 16 + at)
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

    #[test]
    fn parts_have_the_rows_of_the_whole() {
        let source =
            b" orphan\na b\n  c\n\n# d\n e\nf g\n\nh\0 i\n\tj\nk l\n# m\n n\n\"o\n p\" q\nr";
        let whole = format!("{:?}", parse(source).rows);
        for size in 0..=source.len() {
            let parts = parts(source, size);
            let rows: Vec<Row> = parts.flat_map(|part| parse_part(source, part)).collect();
            assert_eq!(format!("{rows:?}"), whole, "parts of {size} bytes");
        }
        assert_eq!(parts(source, 1).count(), 7, "as many as there are logical lines");
        assert_eq!(parts(b"", 1).count(), 0);
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
