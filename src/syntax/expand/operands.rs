//! What is done with the texts that a comparison or a function gets
//! (`mac_exp_eval`, `global/compat_level.c`, `util/mac_midna.c`).

use std::cmp::Ordering;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use super::super::is_space;
use super::{Error, skip};

/// `mac_midna_domain_to_ascii_eval`: what is ASCII stays as it is.
pub(super) fn domain_to_ascii(name: &[u8]) -> Result<Vec<u8>, Error> {
    if name.is_ascii() && !name.is_empty() {
        return Ok(name.to_vec());
    }
    let rules = (AsciiDenyList::EMPTY, Hyphens::Check, DnsLength::Ignore);
    let ascii = Uts46::new().to_ascii(name, rules.0, rules.1, rules.2);
    let ascii = ascii.map_err(|_| Error::BadDomain)?.into_owned().into_bytes();
    if is_hostname(&ascii) { Ok(ascii) } else { Err(Error::BadDomain) }
}

/// `mac_midna_to_u_label_eval`: what is not ASCII stays as it is; the rest must
/// be a host name.
pub(super) fn domain_to_utf8(name: &[u8]) -> Result<Vec<u8>, Error> {
    if !name.is_ascii() || name.is_empty() {
        return Ok(name.to_vec());
    }
    let (unicode, valid) = Uts46::new().to_unicode(name, AsciiDenyList::EMPTY, Hyphens::Check);
    let is_valid = valid.is_ok() && is_hostname(&name.to_ascii_lowercase());
    // An empty label is no mistake to the library, but to ICU.
    if is_valid { Ok(unicode.into_owned().into_bytes()) } else { Err(Error::BadDomain) }
}

/// `util/valid_hostname.c`: letters, digits, `_` and inner hyphens, and no number.
fn is_hostname(name: &[u8]) -> bool {
    let letter = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let is_label = |label: &[u8]| {
        label.len() < 64
            && label.first().is_some_and(letter)
            && label.last().is_some_and(letter)
            && label.iter().all(|byte| letter(byte) || *byte == b'-')
    };
    let number = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    name.len() <= 255 && !name.iter().all(number) && name.split(|byte| *byte == b'.').all(is_label)
}

/// Numbers if both sides are digits only, else bytes (`mac_exp_eval`).
pub(super) fn compare(left: &[u8], right: &[u8]) -> Result<Ordering, Error> {
    let all_digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    if all_digits(left) && all_digits(right) {
        return Ok(number(left)?.cmp(&number(right)?));
    }
    Ok(left.cmp(right))
}

/// `M`, `M.N` or `M.N.P`, each as strtol(3) takes it (`compat_level_from_string`).
pub(super) fn level(text: &[u8]) -> Result<[i64; 3], Error> {
    let mut level = [0; 3];
    for (index, part) in text.split(|byte| *byte == b'.').enumerate() {
        let part = &part[skip(part, 0, is_space)..];
        let digits = part.strip_prefix(b"+").unwrap_or(part);
        let digits = if part.starts_with(b"-") { &part[1..] } else { digits };
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(Error::Operand);
        }
        // The bits that each part has in Postfix's number.
        let limit = [i64::MAX >> 20, 1023, 1023].get(index).copied().ok_or(Error::Operand)?;
        let value = number(digits)?;
        if value > limit || (part.starts_with(b"-") && value != 0) {
            return Err(Error::Operand);
        }
        level[index] = value;
    }
    Ok(level)
}

fn number(digits: &[u8]) -> Result<i64, Error> {
    str::from_utf8(digits).ok().and_then(|text| text.parse().ok()).ok_or(Error::Operand)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each row was tried with postconf 3.11 and 3.12; `None`: it refuses.
    #[test]
    fn domains_are_converted_as_in_postfix() {
        for (name, ascii, utf8) in [
            ("EXAMPLE.com", Some("EXAMPLE.com"), Some("example.com")),
            ("", None, Some("")),
            ("a..b", Some("a..b"), None),
            ("b\u{fc}cher.example", Some("xn--bcher-kva.example"), Some("b\u{fc}cher.example")),
            ("xn--bcher-kva.example", Some("xn--bcher-kva.example"), Some("b\u{fc}cher.example")),
            ("a b", Some("a b"), None),
            ("x.", Some("x."), None),
            ("-a.b", Some("-a.b"), None),
            ("a-.c", Some("a-.c"), None),
            ("ab--c.d", Some("ab--c.d"), None),
            ("xn--a.b", Some("xn--a.b"), None),
            ("a_b.c", Some("a_b.c"), Some("a_b.c")),
            ("1.2", Some("1.2"), None),
            ("*.x", Some("*.x"), None),
            ("stra\u{df}e.de", Some("xn--strae-oqa.de"), Some("stra\u{df}e.de")),
            ("\u{ff21}\u{ff22}.com", Some("ab.com"), Some("\u{ff21}\u{ff22}.com")),
            ("a\u{3002}b", Some("a.b"), Some("a\u{3002}b")),
            ("\u{c9}.x", Some("xn--9ca.x"), Some("\u{c9}.x")),
            ("\u{e9}..", None, Some("\u{e9}..")),
            ("-\u{e9}", None, Some("-\u{e9}")),
            ("\u{e9} b", None, Some("\u{e9} b")),
        ] {
            let text =
                |it: Result<Vec<u8>, Error>| it.ok().and_then(|it| String::from_utf8(it).ok());
            assert_eq!(text(domain_to_ascii(name.as_bytes())).as_deref(), ascii, "{name}");
            assert_eq!(text(domain_to_utf8(name.as_bytes())).as_deref(), utf8, "{name}");
        }
    }
}
