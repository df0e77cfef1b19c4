//! Case as Postfix sees it in keys (`util/casefold.c`).

use std::borrow::Cow;

use unicase::UniCase;

/// The folded form of a key: lower case for ASCII, Unicode's case folding for
/// all other text, and bytes that are not UTF-8 as they are.
pub fn fold(key: &[u8]) -> Cow<'_, [u8]> {
    // Without a way out of the loop, it is done for many bytes at once.
    let as_it_is =
        key.iter().fold(true, |so_far, byte| so_far & byte.is_ascii() & !byte.is_ascii_uppercase());
    if as_it_is {
        return key.into();
    }
    match std::str::from_utf8(key) {
        Ok(text) => UniCase::new(text).to_folded_case().into_bytes().into(),
        Err(_) => key.to_ascii_lowercase().into(),
    }
}

/// The same for ASCII alone; all other bytes stay as they are.
pub fn fold_ascii(key: &[u8]) -> Cow<'_, [u8]> {
    if key.iter().any(u8::is_ascii_uppercase) {
        key.to_ascii_lowercase().into()
    } else {
        key.into()
    }
}

#[cfg(test)]
mod tests {
    use super::fold;

    /// Tried with `postmap -s lmdb:` of 3.7, smtputf8_enable = yes.
    #[test]
    fn keys_fold_as_in_postmap() {
        for (key, want) in [
            ("a.example", "a.example"),
            ("A.Example", "a.example"),
            ("B\u{dc}CHER.example", "b\u{fc}cher.example"),
            ("stra\u{df}e.example", "strasse.example"),
            ("\u{391}\u{3a3}.example", "\u{3b1}\u{3c3}.example"),
        ] {
            assert_eq!(fold(key.as_bytes()), want.as_bytes(), "{key}");
        }
        assert_eq!(fold(b"A\xff"), b"a\xff".as_slice());
    }
}
