//! The rows of a table that is there, with those that postls once wrote as comments.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::comments::{readable, within};
use crate::policy::compile::{ADVICE, MARK, TESTING};
use crate::syntax::lines::line_end;
use crate::syntax::table::{self, Kind, Row};
use crate::text::fold;

/// A table, without what postls wrote around its rows.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    bytes: Cow<'a, [u8]>,
    all: Vec<Row>,
    /// Where rows begin that are not in force.
    testing: HashSet<usize, RandomState>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Rows<'a> {
        let (bytes, testing) = unwrapped(bytes);
        let all = table::parse(&bytes).rows;
        Rows { bytes, all, testing }
    }

    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    pub(super) fn key(&self, index: usize) -> Cow<'_, [u8]> {
        self.all[index].key(&self.bytes)
    }

    pub(super) fn value(&self, index: usize) -> Cow<'_, [u8]> {
        self.all[index].value(&self.bytes)
    }

    pub(super) fn is_testing(&self, index: usize) -> bool {
        self.testing.contains(&self.all[index].range().start)
    }

    /// The row on one line.
    pub(super) fn as_written(&self, index: usize) -> String {
        readable([&*self.key(index), b" ", &*self.value(index)].concat().trim_ascii_end())
    }

    /// The comments between the row before this one and it, and those in it. An empty text for
    /// blank lines. `index` may be behind the last row.
    pub(super) fn comments(&self, index: usize) -> Vec<String> {
        let before = index.checked_sub(1).map_or(0, |it| self.all[it].range().end);
        let Some(row) = self.all.get(index) else {
            return within(&self.bytes, before..self.bytes.len());
        };
        let mut comments = within(&self.bytes, before..row.range().start);
        comments.extend(within(&self.bytes, row.range()).into_iter().filter(|it| !it.is_empty()));
        comments
    }

    /// A way from rows, asked for in their order, to the lines that they begin in, counted from 1.
    pub(super) fn lines(&self) -> impl FnMut(usize) -> usize + '_ {
        let (mut line, mut at) = (1, 0);
        move |index| {
            let start = self.all[index].range().start;
            line +=
                memchr::memchr_iter(b'\n', self.bytes.get(at..start).unwrap_or_default()).count();
            at = start;
            line
        }
    }

    /// The rows that mean nothing to Postfix, and why.
    pub(super) fn without_effect(&self) -> Vec<(usize, String)> {
        let mut seen: HashMap<Vec<u8>, usize, RandomState> = HashMap::default();
        let mut found = Vec::new();
        let mut lines = self.lines();
        for (index, row) in self.all.iter().enumerate() {
            let why = match row.kind {
                Kind::Entry => {
                    let line = lines(index);
                    let key = fold(&row.key(&self.bytes)).into_owned();
                    let first = *seen.entry(key).or_insert(line);
                    if first == line {
                        continue;
                    }
                    format!("the first row of a key counts, and that is in line {first}")
                }
                Kind::MissingValue => "it has no value, and Postfix skips it".to_owned(),
                Kind::UnbalancedQuote => "a quote is not closed, and Postfix skips it".to_owned(),
                Kind::Orphan => {
                    "it begins with white space and continues no row, and Postfix skips it"
                        .to_owned()
                }
            };
            found.push((index, why));
        }
        found
    }
}

/// The text without the header that postls writes, and with the rows that it writes as comments;
/// each line stands where it stood. Other tables are as they are.
fn unwrapped(bytes: &[u8]) -> (Cow<'_, [u8]>, HashSet<usize, RandomState>) {
    let mut testing = HashSet::default();
    if !bytes.starts_with(MARK.as_bytes()) {
        return (bytes.into(), testing);
    }
    let mut text = bytes.to_vec();
    let mut at = 0;
    while at < text.len() {
        let end = line_end(&text, at);
        let line = &mut text[at..end];
        let length = line.trim_ascii_end().len();
        if line.starts_with(MARK.as_bytes()) || line.starts_with(ADVICE.as_bytes()) {
            line[..length].fill(b' ');
        } else if line.starts_with(TESTING.as_bytes()) {
            testing.insert(at);
            line[..length].rotate_left(TESTING.len());
            line[length - TESTING.len()..length].fill(b' ');
        }
        at = end;
    }
    (text.into(), testing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_postls_wrote_as_comments_are_rows_again() {
        let text = format!("{MARK} from x.\n{ADVICE}\na may\n{TESTING}b secure match=x\nc may\n");
        let rows = Rows::new(text.as_bytes());
        let all: Vec<(String, bool)> =
            (0..rows.count()).map(|it| (rows.as_written(it), rows.is_testing(it))).collect();
        let want = [("a may", false), ("b secure match=x", true), ("c may", false)];
        assert_eq!(all, want.map(|(row, testing)| (row.to_owned(), testing)));
        assert_eq!(rows.comments(0), [] as [&str; 0]);
        assert_eq!((rows.lines())(2), 5);
    }
}
