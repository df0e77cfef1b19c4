//! Where a finding is, for those who show a repository: paths from its root, columns in characters.
//!
//! Columns are counted in UTF-16 code units, as most who read them do. What is no UTF-8 is taken
//! for U+FFFD, as they read it: one for each run of bytes that could have begun a character.
//!
//! Known limit: a file's name that is not UTF-8 is known by what is shown of it.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use crate::text::{Source, Sources, Span, offset};

/// From where paths are counted. Empty: names stay as they are.
#[derive(Debug, Default)]
pub struct Root {
    /// The root of the repository.
    pub repository: PathBuf,
    /// What names are relative to.
    pub directory: PathBuf,
    /// Where the files are that are named in another way.
    pub elsewhere: HashMap<String, PathBuf>,
}

impl Root {
    /// The path of a file from the repository's root, or absolute where it is outside of it.
    pub fn path(&self, name: &str) -> PathBuf {
        let path = match self.elsewhere.get(name) {
            Some(path) => self.directory.join(path),
            None => self.directory.join(name),
        };
        let path = plain(&path);
        path.strip_prefix(&self.repository).map_or_else(|_| path.clone(), Path::to_owned)
    }
}

/// Without `.` and `..`, as far as names alone tell.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(plain.components().next_back(), Some(Component::Normal(_))) =>
            {
                plain.pop();
            }
            Component::ParentDir
            | Component::Normal(_)
            | Component::RootDir
            | Component::Prefix(_) => {
                plain.push(part);
            }
        }
    }
    plain
}

/// Lines and columns from 1; the end is behind the last character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) start_line: u32,
    pub(super) start_column: u32,
    pub(super) end_line: u32,
    pub(super) end_column: u32,
}

/// Counts columns. Findings come in the order of their places: it goes on where the last one began
/// or ended, for a line may be as long as a file.
#[derive(Default)]
pub(super) struct Columns<'a> {
    start: Option<Place<'a>>,
    end: Option<Place<'a>>,
}

#[derive(Clone, Copy)]
struct Place<'a> {
    source: &'a Source,
    line: usize,
    at: usize,
    column: usize,
}

impl<'a> Columns<'a> {
    /// The region of a span. One that ends with the end of a line ends there, not in the next one.
    pub(super) fn region(&mut self, sources: &'a Sources, span: Span) -> Region {
        let source = sources.of(span);
        let line_end = source.bytes()[span.range()].last() == Some(&b'\n');
        self.exact(source, span.start, span.end - u32::from(line_end))
    }

    /// The region of a span, to the byte.
    pub(super) fn exact(&mut self, source: &'a Source, start: u32, end: u32) -> Region {
        let start = self.place(source, start);
        self.start = Some(start);
        let end = self.place(source, end);
        self.end = Some(end);
        Region {
            start_line: offset(start.line + 1),
            start_column: offset(start.column),
            end_line: offset(end.line + 1),
            end_column: offset(end.column),
        }
    }

    fn place(&self, source: &'a Source, at: u32) -> Place<'a> {
        let line = source.line_index(at);
        let begin = Place { source, line, at: source.line_range(line).start, column: 1 };
        let at = boundary(source.bytes(), at as usize, begin.at);
        let is_before =
            |it: &&Place<'_>| std::ptr::eq(it.source, source) && it.line == line && it.at <= at;
        let last = self.start.iter().chain(&self.end).filter(is_before).max_by_key(|it| it.at);
        let from = last.unwrap_or(&begin);
        let column = from.column + units(&source.bytes()[from.at..at]);
        Place { source, line, at, column }
    }
}

/// The first byte of the character that `at` stands in.
fn boundary(bytes: &[u8], at: usize, from: usize) -> usize {
    let before = (from.max(at.saturating_sub(3))..at).rev();
    let lead = before.into_iter().find(|it| bytes[*it] >= 0xc0);
    match lead {
        Some(lead) => {
            // No character has more than four bytes; what is behind them would all be looked at.
            let four = &bytes[lead..bytes.len().min(lead + 4)];
            let whole = four.utf8_chunks().next().map_or("", |it| it.valid());
            let length = whole.chars().next().map_or(0, char::len_utf8);
            if lead + length > at { lead } else { at }
        }
        None => at,
    }
}

fn units(bytes: &[u8]) -> usize {
    if bytes.is_ascii() {
        return bytes.len();
    }
    let of = |chunk: std::str::Utf8Chunk<'_>| {
        chunk.valid().encode_utf16().count() + usize::from(!chunk.invalid().is_empty())
    };
    bytes.utf8_chunks().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_what_a_reader_sees() {
        let mut sources = Sources::default();
        // ä, an emoji of two units, a byte of Latin-1, the first two bytes of a character of three.
        let text = "ä=\u{1f4e7}".as_bytes().iter().copied().chain(*b"\xe4x\xe2\x82y\nb").collect();
        let id = sources.add("x", text);
        let mut columns = Columns::default();
        for (range, want) in [
            (0..2, (1, 1, 1, 2)),
            (2..3, (1, 2, 1, 3)),
            (3..7, (1, 3, 1, 5)),
            (7..8, (1, 5, 1, 6)),
            (8..9, (1, 6, 1, 7)),
            (9..11, (1, 7, 1, 8)),
            (11..13, (1, 8, 1, 9)),
            (13..14, (2, 1, 2, 2)),
            (0..14, (1, 1, 2, 2)),
            // In the middle of a character: from its beginning.
            (5..7, (1, 3, 1, 5)),
        ] {
            let it = columns.region(&sources, Span::new(id, range.clone()));
            let got = (it.start_line, it.start_column, it.end_line, it.end_column);
            assert_eq!(got, want, "{range:?}");
        }
    }

    #[test]
    fn counting_goes_on_where_the_last_finding_began_or_ended() {
        let mut sources = Sources::default();
        let id = sources.add("x", "aäbäc\n".as_bytes().to_vec());
        let source = sources.source(id);
        // Wrong columns that it remembers are gone on from.
        let place = |at, column| Some(Place { source, line: 0, at, column });
        let mut columns = Columns { start: place(3, 100), end: place(6, 200) };
        let from_both = columns.region(&sources, Span::new(id, 4..7));
        assert_eq!((from_both.start_column, from_both.end_column), (101, 201));
        // An end in front of the last one goes on from the start.
        let nested = columns.region(&sources, Span::new(id, 4..6));
        assert_eq!((nested.start_column, nested.end_column), (101, 102));
        let again = columns.region(&sources, Span::new(id, 0..1));
        assert_eq!((again.start_column, again.end_column), (1, 2));
    }
}
