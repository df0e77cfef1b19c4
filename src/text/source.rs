//! The files of one run and the way from an offset to a line.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::{Line, SourceId, Span, offset};

/// One file, or what stands for one.
#[derive(Debug)]
pub struct Source {
    name: String,
    bytes: Arc<Vec<u8>>,
    secret: Secret,
    /// Offsets at which lines begin. Most files never have a finding, so it is made on demand.
    lines: OnceLock<Vec<u32>>,
}

impl Source {
    /// The name to show: relative to the configuration directory where the file stands in it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All of it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether it may be shown.
    pub fn secret(&self) -> Secret {
        self.secret
    }

    /// The line that `at` stands in, and its column: both from 1, columns in bytes.
    pub fn line_column(&self, at: u32) -> (Line, u32) {
        let index = self.line_index(at);
        (Line::from_index(index), at - self.lines()[index] + 1)
    }

    /// The bytes of a line, counted from index 0, without its line end.
    pub fn line_range(&self, index: usize) -> Range<usize> {
        let lines = self.lines();
        let start = lines[index] as usize;
        let end = lines.get(index + 1).map_or(self.bytes.len(), |next| *next as usize - 1);
        start..end.max(start)
    }

    /// The index, from 0, of the line that `at` stands in.
    pub fn line_index(&self, at: u32) -> usize {
        self.lines().partition_point(|start| *start <= at) - 1
    }

    /// How many lines there are; a final newline begins no further line.
    pub fn line_count(&self) -> usize {
        let lines = self.lines();
        match lines.last() {
            Some(last) if *last as usize == self.bytes.len() && lines.len() > 1 => lines.len() - 1,
            _ => lines.len(),
        }
    }

    fn lines(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            let starts = memchr::memchr_iter(b'\n', &self.bytes).map(|at| offset(at + 1));
            std::iter::once(0).chain(starts).collect()
        })
    }
}

/// Whether a file may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secret {
    /// It may.
    No,
    /// It holds passwords: of a line nothing is shown but what a finding is about.
    Yes,
}

/// All files of one run. A [`Span`] is only valid together with the `Sources` it was made for.
#[derive(Debug, Default)]
pub struct Sources(Vec<Source>);

impl Sources {
    /// Takes a file in.
    pub fn add(&mut self, name: impl Into<String>, bytes: Vec<u8>) -> SourceId {
        let id = SourceId(offset(self.0.len()));
        self.0.push(Source {
            name: name.into(),
            bytes: Arc::new(bytes),
            secret: Secret::No,
            lines: OnceLock::new(),
        });
        id
    }

    /// Takes in a file of another run; its bytes are there once.
    pub fn add_from(&mut self, others: &Sources, id: SourceId) -> SourceId {
        let Source { name, bytes, secret, .. } = others.source(id);
        let new = SourceId(offset(self.0.len()));
        self.0.push(Source {
            name: name.clone(),
            bytes: Arc::clone(bytes),
            secret: *secret,
            lines: OnceLock::new(),
        });
        new
    }

    /// From now on the file is one that holds passwords.
    pub fn keep_secret(&mut self, id: SourceId) {
        self.0[id.0 as usize].secret = Secret::Yes;
    }

    /// The file with this id.
    pub fn source(&self, id: SourceId) -> &Source {
        &self.0[id.0 as usize]
    }

    /// The file that a place stands in.
    pub fn of(&self, span: Span) -> &Source {
        self.source(span.source)
    }

    /// The bytes of a place.
    pub fn bytes(&self, span: Span) -> &[u8] {
        &self.of(span).bytes()[span.range()]
    }

    /// The bytes of a place for a message; what is not UTF-8 is replaced.
    pub fn text(&self, span: Span) -> Cow<'_, str> {
        String::from_utf8_lossy(self.bytes(span))
    }

    /// Each file with its id, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        self.0.iter().enumerate().map(|(index, source)| (SourceId(offset(index)), source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one() {
        let mut sources = Sources::default();
        let id = sources.add("x", b"ab\n\ncd".to_vec());
        let source = sources.source(id);
        let place = |at| {
            let (line, column) = source.line_column(at);
            (line.number(), column)
        };
        assert_eq!(
            [place(0), place(2), place(3), place(4), place(6)],
            [(1, 1), (1, 3), (2, 1), (3, 1), (3, 3)]
        );
        assert_eq!(source.line_range(0), 0..2);
        assert_eq!(source.line_range(1), 3..3);
        assert_eq!(source.line_range(2), 4..6);
        assert_eq!(source.line_count(), 3);
    }
}
