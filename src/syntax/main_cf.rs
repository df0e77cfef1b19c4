//! `main.cf` as written: every byte belongs to exactly one group of lines.
//!
//! Follows `dict_load_file` and `split_nameval` in Postfix's `util/`.
//! Quotes, `\` at a line's end and `#` behind text mean nothing here.

use std::ops::Range;

use super::lines::{self, Group, Joined, Logical};
use super::lists::{self, Assignment};
use super::{is_space, trim};

/// A parsed file. The spans of the groups tile it.
#[derive(Debug, Default)]
pub struct MainCf {
    /// In the order of the file.
    pub groups: Vec<Group<Kind>>,
}

/// What Postfix makes of a group of lines.
#[derive(Debug)]
pub enum Kind {
    /// Comments and blank lines.
    Trivia,
    /// `name = value`.
    Entry(Entry),
    /// A logical line without `=` behind its first word: every program that reads the file dies.
    MissingEquals,
    /// A logical line that begins with `=`: every program that reads the file dies.
    MissingName,
    /// A first logical line that begins with white space: skipped with a warning.
    Orphan,
}

/// `name = value`, with the value's continuation lines.
#[derive(Debug)]
pub struct Entry {
    /// The parameter's name.
    pub name: Range<usize>,
    /// From the value's first byte to its last, comments between its pieces
    /// included; empty, behind the `=`, where there is no value.
    pub value: Range<usize>,
    line: Logical,
    /// The value's place in the joined text.
    joined: Range<usize>,
}

/// The value of an entry as Postfix gets it.
#[derive(Debug)]
pub struct Value<'a> {
    joined: Joined<'a>,
    range: Range<usize>,
}

impl Entry {
    /// The value, joined from the whole source.
    pub fn value_text<'a>(&self, bytes: &'a [u8]) -> Value<'a> {
        Value { joined: self.line.join(bytes), range: self.joined.clone() }
    }

    /// The parts of the value, one for each physical line that it stands on,
    /// without outer white space; one empty part where there is no value.
    pub fn value_pieces(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        if self.value.is_empty() {
            return vec![self.value.clone()];
        }
        let inside = |line: Range<usize>| {
            let range = line.start.max(self.value.start)..line.end.min(self.value.end);
            let (start, text) = trim(bytes.get(range.clone()).unwrap_or_default());
            range.start + start..range.start + start + text.len()
        };
        self.lines(bytes).into_iter().map(inside).filter(|it| !it.is_empty()).collect()
    }

    /// The physical lines of the entry, without the comments between them.
    pub fn lines(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut lines = Vec::new();
        let mut at = self.line.start as usize;
        while at < self.line.end as usize {
            let end = lines::line_end(bytes, at);
            if !lines::is_trivia(&bytes[at..end]) {
                lines.push(at..end);
            }
            at = end;
        }
        lines
    }
}

impl Value<'_> {
    /// The value without its line ends, inner comments and outer white space.
    pub fn text(&self) -> &[u8] {
        &self.joined.text[self.range.clone()]
    }

    /// Where a part of [`Value::text`] stands in the source.
    pub fn locate(&self, range: Range<usize>) -> Range<usize> {
        self.joined.locate(self.range.start + range.start..self.range.start + range.end)
    }
}

impl MainCf {
    /// The entries in the order of the file.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.groups.iter().filter_map(|group| match &group.kind {
            Kind::Entry(entry) => Some(entry),
            Kind::Trivia | Kind::MissingEquals | Kind::MissingName | Kind::Orphan => None,
        })
    }
}

/// Reads any bytes; never fails.
pub fn parse(bytes: &[u8]) -> MainCf {
    MainCf { groups: lines::tile(bytes, || Kind::Trivia, |line| kind(bytes, line)) }
}

fn kind(bytes: &[u8], line: Logical) -> Kind {
    let joined = line.join(bytes);
    let text = joined.text.as_ref();
    if text.first().copied().is_some_and(is_space) {
        return Kind::Orphan;
    }
    let Assignment { name, value, .. } = lists::name_and_value(text, 0..text.len());
    if name.is_empty() {
        return Kind::MissingName;
    }
    let Some(range) = value else { return Kind::MissingEquals };
    // No value: the place right behind the `=`.
    let value = if range.is_empty() {
        let at = joined.locate(range.start - 1..range.start).end;
        at..at
    } else {
        joined.locate(range.clone())
    };
    Kind::Entry(Entry { name: joined.locate(name), value, line, joined: range })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `name=value` for each entry, a word for all else that is no comment.
    fn read(source: &str) -> Vec<String> {
        let bytes = source.as_bytes();
        let show = |group: &Group<Kind>| match &group.kind {
            Kind::Trivia => None,
            Kind::Entry(entry) => {
                let value = entry.value_text(bytes);
                let value = String::from_utf8_lossy(value.text()).into_owned();
                Some(format!("{}={value}", &source[entry.name.clone()]))
            }
            Kind::MissingEquals => Some("missing equals".to_owned()),
            Kind::MissingName => Some("missing name".to_owned()),
            Kind::Orphan => Some("orphan".to_owned()),
        };
        parse(bytes).groups.iter().filter_map(show).collect()
    }

    /// Each row was tried with postconf 3.5 to 3.12.
    #[test]
    fn entries_are_read_as_in_postfix() {
        for (source, want) in [
            ("a = b", "a=b"),
            ("a=b\n", "a=b"),
            ("a == b", "a== b"),
            ("a = b=c", "a=b=c"),
            ("a =\n", "a="),
            ("a =\n b\n", "a=b"),
            ("a\n = b\n", "a=b"),
            ("a = b \t\r\n", "a=b"),
            ("a = b # c", "a=b # c"),
            ("a = b\\\n c", "a=b\\ c"),
            ("my x = 1", "missing equals"),
            ("a\n", "missing equals"),
            ("= b\n", "missing name"),
            (" a = b\n", "orphan"),
            ("[a]\n", "missing equals"),
            ("a\u{a0}= b", "a\u{a0}=b"),
            ("a\0b = c", "missing equals"),
            ("a = b\0c\n d\n", "a=b"),
        ] {
            assert_eq!(read(source), [want], "{source:?}");
        }
    }

    #[test]
    fn an_empty_value_has_a_place() {
        let cf = parse(b"a =  \n# c\nb = x\n");
        let values: Vec<_> = cf.entries().map(|entry| entry.value.clone()).collect();
        assert_eq!(values, [3..3, 14..15]);
    }
}
