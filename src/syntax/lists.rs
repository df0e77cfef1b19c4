//! Values that are lists: words between commas and white space.

use std::ops::Range;

use super::trim;

/// What separates words in most lists (`CHARS_COMMA_SP`).
pub const COMMA_SPACE: &Separators = &Separators::new(b", \t\r\n");

/// The same where braces are letters like others.
pub const COMMA_SPACE_FLAT: &Separators = &Separators::flat(b", \t\r\n");

/// What separates the words of master.cf (`MASTER_BLANKS`).
pub const BLANKS: &Separators = &Separators::new(b" \t\r\n");

/// Between fingerprints.
pub const BAR: &Separators = &Separators::new(b"|");

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

/// The parts of a word that is `name=value`, or `{ name = value }`: outer
/// blanks of both do not count (`util/extpar.c`, `util/split_nameval.c`). The
/// value is `None` where there is no `=`, and then the word is the name.
pub fn assignment(text: &[u8], word: Range<usize>) -> (Range<usize>, Option<Range<usize>>) {
    let mut inner = word.clone();
    if text[word.clone()].starts_with(b"{") && text[word.clone()].ends_with(b"}") {
        inner = word.start + 1..word.end - 1;
    }
    let trimmed = |range: Range<usize>| {
        let (start, rest) = trim(&text[range.clone()]);
        range.start + start..range.start + start + rest.len()
    };
    match text[inner.clone()].iter().position(|byte| *byte == b'=') {
        None => (trimmed(inner), None),
        Some(at) => {
            let name = trimmed(inner.start..inner.start + at);
            (name, Some(trimmed(inner.start + at + 1..inner.end)))
        }
    }
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
}
