//! Logical lines, as every reader of Postfix sees them (`util/readlline.c`).
//!
//! A line that begins with text starts a logical line; lines that begin with
//! white space continue it. Comments (first non-blank is `#`) and blank lines
//! are dropped wherever they stand, also between a line and its continuation.
//! A first logical line that begins with white space is an orphan: Postfix
//! warns and skips it.
//!
//! A [`Logical`] keeps only where it starts and ends: its pieces are found
//! again when somebody asks, so that a table of a million rows needs no
//! million lists.

use std::borrow::Cow;
use std::ops::Range;

use super::is_space;

/// A logical line: from its first byte to the end of its last piece,
/// with the comments and blank lines between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Logical {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset behind the last piece, its line end included.
    pub end: u32,
    /// Whether it is one physical line without a NUL, so that its text is its bytes.
    pub plain: bool,
}

/// The text of a logical line and the way back to the bytes of each word.
#[derive(Clone, Debug)]
pub struct Joined<'a> {
    /// What Postfix gets: the pieces without their newlines, cut at the first NUL.
    pub text: Cow<'a, [u8]>,
    /// Where the first piece starts in the source.
    start: usize,
    /// For each further piece: where it starts in the text, and in the source.
    further: Vec<(usize, usize)>,
}

/// Iterates over the logical lines of a file.
pub fn logical_lines(bytes: &[u8]) -> impl Iterator<Item = Logical> {
    logical_lines_from(bytes, 0)
}

/// The logical lines from `at` on, where one begins.
pub fn logical_lines_from(bytes: &[u8], mut at: usize) -> impl Iterator<Item = Logical> {
    std::iter::from_fn(move || {
        while at < bytes.len() {
            let (end, mut plain) = line_end_and_plain(bytes, at);
            if is_trivia(&bytes[at..end]) {
                at = end;
                continue;
            }
            let (start, mut last) = (at, end);
            let mut next = end;
            while next < bytes.len() && !begins_with_text(&bytes[next..]) {
                let end = line_end(bytes, next);
                if !is_trivia(&bytes[next..end]) {
                    (last, plain) = (end, false);
                }
                next = end;
            }
            // Comments behind the last piece belong to what follows.
            at = last;
            let offset = crate::text::offset;
            return Some(Logical { start: offset(start), end: offset(last), plain });
        }
        None
    })
}

/// One or more physical lines that belong together.
#[derive(Debug)]
pub struct Group<K> {
    /// Offsets into the source.
    pub range: Range<usize>,
    /// What Postfix makes of them.
    pub kind: K,
}

/// The logical lines, and what stands between them, as groups that tile the source.
pub fn tile<K>(bytes: &[u8], trivia: impl Fn() -> K, kind: impl Fn(Logical) -> K) -> Vec<Group<K>> {
    let mut groups = Vec::new();
    let mut at = 0;
    for line in logical_lines(bytes) {
        let range = line.start as usize..line.end as usize;
        if at < range.start {
            groups.push(Group { range: at..range.start, kind: trivia() });
        }
        at = range.end;
        groups.push(Group { kind: kind(line), range });
    }
    if at < bytes.len() {
        groups.push(Group { range: at..bytes.len(), kind: trivia() });
    }
    groups
}

impl Logical {
    /// The text that Postfix gets, if that is bytes of the source as they stand.
    pub fn plain_text<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let line = &bytes[self.start as usize..self.end as usize];
        self.plain.then(|| without_newline(line))
    }

    /// The text that Postfix gets, joined from `bytes`, the whole source.
    pub fn join<'a>(&self, bytes: &'a [u8]) -> Joined<'a> {
        let range = self.start as usize..self.end as usize;
        if let Some(text) = self.plain_text(bytes) {
            return Joined { text: Cow::Borrowed(text), start: range.start, further: Vec::new() };
        }
        let mut at = line_end(bytes, range.start);
        let mut text = Vec::with_capacity(range.len());
        text.extend_from_slice(without_newline(&bytes[range.start..at]));
        let mut further = Vec::new();
        while at < range.end {
            let end = line_end(bytes, at);
            if !is_trivia(&bytes[at..end]) {
                further.push((text.len(), at));
                text.extend_from_slice(without_newline(&bytes[at..end]));
            }
            at = end;
        }
        text.truncate(until_nul(&text).len());
        Joined { text: Cow::Owned(text), start: range.start, further }
    }
}

impl Joined<'_> {
    /// Where `range` of the text stands in the source. What runs over several
    /// physical lines covers the comments between them too.
    pub fn locate(&self, range: Range<usize>) -> Range<usize> {
        let start = self.at(range.start);
        // The end belongs to the piece of the last byte, not to the piece that begins there.
        let end = if range.is_empty() { start } else { self.at(range.end - 1) + 1 };
        start..end
    }

    fn at(&self, offset: usize) -> usize {
        match self.further.partition_point(|(start, _)| *start <= offset).checked_sub(1) {
            None => self.start + offset,
            Some(piece) => {
                let (start, source) = self.further[piece];
                source + (offset - start)
            }
        }
    }
}

/// Whether a line that is no comment and continues none stands here: it begins a logical line.
pub fn begins_with_text(line: &[u8]) -> bool {
    line.first().is_some_and(|first| *first != b'#' && !is_space(*first))
}

/// Whether Postfix drops this physical line: blank, or a comment.
pub fn is_trivia(line: &[u8]) -> bool {
    line.iter().find(|byte| !is_space(**byte)).is_none_or(|byte| *byte == b'#')
}

/// The end of the physical line that begins at `at`, and whether there is no
/// NUL in it, found in one go.
fn line_end_and_plain(bytes: &[u8], at: usize) -> (usize, bool) {
    match memchr::memchr2(b'\n', 0, &bytes[at..]) {
        None => (bytes.len(), true),
        Some(length) if bytes[at + length] == b'\n' => (at + length + 1, true),
        Some(_) => (line_end(bytes, at), false),
    }
}

/// The end of the physical line that begins at `at`, its newline included.
pub fn line_end(bytes: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length + 1)
}

/// A physical line without its newline; a `\r` before it stays, as in Postfix.
pub fn without_newline(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

fn until_nul(text: &[u8]) -> &[u8] {
    &text[..memchr::memchr(0, text).unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<String> {
        let bytes = source.as_bytes();
        let join = |line: Logical| String::from_utf8(line.join(bytes).text.into_owned());
        logical_lines(bytes).map(|line| join(line).expect("the source is UTF-8")).collect()
    }

    /// Each row was tried with postconf and postmap 3.5 to 3.12.
    #[test]
    fn lines_join_as_in_postfix() {
        for (source, want) in [
            ("", &[] as &[&str]),
            ("\n \n#x\n", &[]),
            ("a\nb", &["a", "b"]),
            ("a\n b\n", &["a b"]),
            ("a\n\n b\n", &["a b"]),
            ("a\n# c\n b\n", &["a b"]),
            ("a\n  # c\n b\n", &["a b"]),
            ("a\n#\n\n# x\nb\n", &["a", "b"]),
            ("a\n\tb\n\x0bc\n\x0cd\n", &["a\tb\x0bc\x0cd"]),
            ("  orphan\n more\na\n", &["  orphan more", "a"]),
            ("# c\n orphan\na\n", &[" orphan", "a"]),
            ("a\r\n b\r\n", &["a\r b\r"]),
            ("a\\\nb", &["a\\", "b"]),
            ("a\0b\n c\nd", &["a", "d"]),
        ] {
            assert_eq!(texts(source), want, "{source:?}");
        }
    }

    #[test]
    fn a_word_finds_its_bytes_again() {
        let source = b"name = one\n# comment\n\n two three\n";
        let line = logical_lines(source).next().expect("there is a line");
        let joined = line.join(source);
        let at = joined.text.windows(3).position(|it| it == b"two").expect("it is there");
        assert_eq!(&source[joined.locate(at..at + 3)], b"two");
        assert_eq!(&source[joined.locate(7..at + 3)], b"one\n# comment\n\n two");
        assert_eq!(joined.locate(10..10), 22..22, "an empty place is where the next piece begins");
    }
}
