//! Values that are lists: words between commas and white space.

use std::ops::Range;

/// What separates words in most lists (`CHARS_COMMA_SP`).
pub const COMMA_SPACE: &[u8] = b", \t\r\n";

/// The words of `text` between any of `separators`. A `{…}` that begins a
/// word keeps what is inside it together, as `mystrtokq` does.
pub fn words<'a>(text: &'a [u8], separators: &'a [u8]) -> impl Iterator<Item = Range<usize>> + 'a {
    let mut at = 0;
    std::iter::from_fn(move || {
        at += text[at..].iter().position(|byte| !separators.contains(byte))?;
        let (start, mut level) = (at, 0_usize);
        while let Some(byte) = text.get(at) {
            match byte {
                b'{' => level += 1,
                b'}' => level = level.saturating_sub(1),
                byte if level == 0 && separators.contains(byte) => break,
                _ => {}
            }
            at += 1;
        }
        Some(start..at)
    })
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
