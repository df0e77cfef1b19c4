//! Values that are lists: words between commas and white space.

use std::ops::Range;

use super::{is_space, trim};

/// What separates words in most lists (`CHARS_COMMA_SP`).
pub const COMMA_SPACE: &Separators = &Separators::new(b", \t\r\n");

/// The same where braces are letters like others.
pub const COMMA_SPACE_FLAT: &Separators = &Separators::flat(b", \t\r\n");

/// What separates the words of master.cf (`MASTER_BLANKS`).
pub const BLANKS: &Separators = &Separators::new(b" \t\r\n");

/// The same where braces are letters like others; also what postconf shows as one blank.
pub const BLANKS_FLAT: &Separators = &Separators::flat(b" \t\r\n");

/// Between fingerprints.
pub const BAR: &Separators = &Separators::flat(b"|");

/// Between the names of a policy's `match=`.
pub const COLON: &Separators = &Separators::flat(b":");

/// The bytes between words, as a table: a word of a large file is read byte by
/// byte, and each byte costs one look here.
pub struct Separators([Class; 256]);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Word,
    Brace,
    Separator,
}

impl Separators {
    const fn new(bytes: &[u8]) -> Separators {
        let Separators(mut classes) = Separators::flat(bytes);
        classes[b'{' as usize] = Class::Brace;
        classes[b'}' as usize] = Class::Brace;
        Separators(classes)
    }

    const fn flat(bytes: &[u8]) -> Separators {
        let mut classes = [Class::Word; 256];
        let mut index = 0;
        while index < bytes.len() {
            classes[bytes[index] as usize] = Class::Separator;
            index += 1;
        }
        Separators(classes)
    }

    fn class(&self, byte: u8) -> Class {
        self.0[usize::from(byte)]
    }
}

/// The words of `text` between any of `separators`. A `{…}` that begins a
/// word keeps what is inside it together, as `mystrtokq` does.
pub fn words<'a>(
    text: &'a [u8],
    separators: &'a Separators,
) -> impl Iterator<Item = Range<usize>> + 'a {
    let mut at = 0;
    std::iter::from_fn(move || {
        at += text[at..].iter().position(|it| separators.class(*it) != Class::Separator)?;
        let (start, mut level) = (at, 0_usize);
        while let Some(skipped) =
            text[at..].iter().position(|it| separators.class(*it) != Class::Word)
        {
            at += skipped;
            match text[at] {
                b'{' => level += 1,
                b'}' => level = level.saturating_sub(1),
                _ if level == 0 => return Some(start..at),
                _ => {}
            }
            at += 1;
        }
        at = text.len();
        Some(start..at)
    })
}

/// What is wrong with a word that begins with `{`. postconf warns of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BraceProblem {
    /// No `}` closes it; Postfix takes all up to the end.
    Unclosed,
    /// Something follows the `}` that closes it; Postfix drops that.
    TextBehind,
}

/// What stands inside the braces of a word, without outer blanks, as
/// `util/extpar.c` takes it out. The word begins with `{`.
pub fn braces(text: &[u8], word: Range<usize>) -> (Range<usize>, Option<BraceProblem>) {
    let mut level = 0_usize;
    let close = text[word.clone()].iter().position(|byte| {
        match byte {
            b'{' => level += 1,
            b'}' => level -= 1,
            _ => {}
        }
        level == 0
    });
    let (end, problem) = match close.map(|it| word.start + it) {
        None => (word.end, Some(BraceProblem::Unclosed)),
        Some(close) if close + 1 < word.end => (close, Some(BraceProblem::TextBehind)),
        Some(close) => (close, None),
    };
    (trimmed(text, word.start + 1..end), problem)
}

/// The parts of a word that is `name=value`, or `{ name = value }`: outer
/// blanks of both do not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Up to the first blank or `=`; empty where nothing stands before the `=`.
    pub name: Range<usize>,
    /// What stands behind the `=`; `None` where none follows the name.
    pub value: Option<Range<usize>>,
    /// What is wrong with the braces around it.
    pub braces: Option<BraceProblem>,
}

/// Splits a word as `util/extpar.c` and `util/split_nameval.c` do.
pub fn assignment(text: &[u8], word: Range<usize>) -> Assignment {
    let (inner, braces) = match text[word.clone()].first() {
        Some(b'{') => braces(text, word),
        _ => (word, None),
    };
    Assignment { braces, ..name_and_value(text, inner) }
}

/// The same where braces mean nothing (`util/split_nameval.c` alone).
pub fn name_and_value(text: &[u8], inner: Range<usize>) -> Assignment {
    let inner = trimmed(text, inner);
    let inside = &text[..inner.end];
    let skip = |from: usize, keep: &dyn Fn(u8) -> bool| {
        inside[from..].iter().position(|byte| !keep(*byte)).map_or(inside.len(), |it| from + it)
    };
    let name = inner.start..skip(inner.start, &|byte| !is_space(byte) && byte != b'=');
    let equals = skip(name.end, &is_space);
    let value = (inside.get(equals) == Some(&b'=')).then(|| trimmed(text, equals + 1..inner.end));
    Assignment { name, value, braces: None }
}

/// A part of `text` without outer blanks; an empty one stands at its beginning.
fn trimmed(text: &[u8], range: Range<usize>) -> Range<usize> {
    let (start, rest) = trim(&text[range.clone()]);
    if rest.is_empty() {
        return range.start..range.start;
    }
    range.start + start..range.start + start + rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_keep_words_together() {
        let text = b", a b,c {d, e}f {g";
        let got: Vec<&[u8]> = words(text, COMMA_SPACE).map(|range| &text[range]).collect();
        assert_eq!(got, [b"a".as_slice(), b"b", b"c", b"{d, e}f", b"{g"]);
    }

    /// Each row was tried with `-o` in master.cf and `postconf -P` of 3.5 to 3.12.
    #[test]
    fn assignments_are_split_as_in_postfix() {
        let unclosed = Some(BraceProblem::Unclosed);
        let behind = Some(BraceProblem::TextBehind);
        for (word, name, value, braces) in [
            ("a=b", "a", Some("b"), None),
            ("a=", "a", Some(""), None),
            ("a", "a", None, None),
            ("=b", "", Some("b"), None),
            ("{ a = b c }", "a", Some("b c"), None),
            ("{a={b}}", "a", Some("{b}"), None),
            ("{ a b = c }", "a", None, None),
            ("{ }", "", None, None),
            ("{ a = b", "a", Some("b"), unclosed),
            ("{ a = {b}", "a", Some("{b}"), unclosed),
            ("{ a = b }c", "a", Some("b"), behind),
        ] {
            let got = assignment(word.as_bytes(), 0..word.len());
            let value_text = got.value.clone().map(|it| &word[it]);
            assert_eq!((&word[got.name], value_text, got.braces), (name, value, braces), "{word}");
        }
    }
}
