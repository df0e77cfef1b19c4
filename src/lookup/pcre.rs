//! The patterns of `pcre:` tables: PCRE2 itself reads and matches them, as in Postfix.
//!
//! Known limits: before 3.7 Postfix knew only the library before it, PCRE, and may be built with it
//! up to now; in that, a backslash before a letter without a meaning is no error. The flags `E`, and
//! what `m` and `s` mean for line ends, make no difference for keys, which are one line.

use pcre2::bytes::{Regex, RegexBuilder};

use super::ere::Groups;

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Pcre(Regex);

/// Why there is none.
#[derive(Debug)]
pub(super) enum NoPcre {
    /// PCRE2 refuses it.
    Refused(String),
    /// postls cannot hand it over.
    Unknown(&'static str),
}

impl Pcre {
    /// `turned`: whether a flag is there an odd number of times.
    pub(super) fn new(pattern: &[u8], turned: &dyn Fn(u8) -> bool) -> Result<Pcre, NoPcre> {
        let text = as_text(pattern)?;
        let mut builder = RegexBuilder::new();
        builder.caseless(!turned(b'i')).dotall(!turned(b's'));
        builder.multi_line(turned(b'm')).extended(turned(b'x'));
        let plain = builder.build(&text).map_err(|error| NoPcre::Refused(refusal(&error)))?;
        let (anchored, ungreedy) = (turned(b'A'), turned(b'U'));
        if !anchored && !ungreedy {
            return Ok(Pcre(plain));
        }
        // The crate has no call for these two; the pattern can say them itself.
        let (verbs, rest) = text.split_at(verbs(&text));
        let ungreedy = if ungreedy { "(?U)" } else { "" };
        let mut variants = vec![format!("{verbs}{ungreedy}{rest}")];
        if anchored {
            // Behind a comment of the flag x, only a line end brings the parenthesis.
            variants =
                ["", "\n"].map(|end| format!("{verbs}\\G(?:{ungreedy}{rest}\\E{end})")).to_vec();
        }
        let mut built = variants.iter().filter_map(|it| builder.build(it).ok());
        built.next().map(Pcre).ok_or(NoPcre::Unknown("the pattern cannot be anchored"))
    }

    pub(super) fn groups(&self) -> usize {
        self.0.captures_len() - 1
    }

    /// The match and its groups; `Err`: PCRE2 gives up.
    pub(super) fn find(&self, key: &[u8], groups: usize) -> Result<Option<Groups>, pcre2::Error> {
        if groups == 0 {
            return Ok(self.0.is_match(key)?.then(Vec::new));
        }
        let mut places = self.0.capture_locations();
        if self.0.captures_read(&mut places, key)?.is_none() {
            return Ok(None);
        }
        Ok(Some((0..places.len()).map(|it| places.get(it)).collect()))
    }
}

/// `(*UTF)` and its like stand in front of all else.
fn verbs(text: &str) -> usize {
    let mut at = 0;
    while text[at..].starts_with("(*")
        && text[at + 2..].starts_with(|it: char| it.is_ascii_uppercase())
        && let Some(length) = text[at..].find(')')
    {
        at += length + 1;
    }
    at
}

/// The crate takes text; a byte that is none is written `\xff`.
fn as_text(pattern: &[u8]) -> Result<String, NoPcre> {
    if let Ok(text) = str::from_utf8(pattern) {
        return Ok(text.into());
    }
    if pattern.windows(2).any(|it| it == b"\\Q") {
        return Err(NoPcre::Unknown("the pattern is not UTF-8 and has \\Q"));
    }
    let mut text = String::new();
    let mut escaped = false;
    for byte in pattern {
        if byte.is_ascii() {
            text.push(char::from(*byte));
            escaped = *byte == b'\\' && !escaped;
            continue;
        }
        if std::mem::take(&mut escaped) {
            text.pop();
        }
        let digits = format!("\\x{byte:02x}");
        text.push_str(&digits);
    }
    Ok(text)
}

fn refusal(error: &pcre2::Error) -> String {
    let what = error.to_string();
    // The crate says more than Postfix does.
    let what = what.rsplit_once(": ").map_or(what.as_str(), |it| it.1);
    match error.offset() {
        Some(offset) => format!("error in regex at offset {offset}: {what}"),
        None => format!("error in regex: {what}"),
    }
}
