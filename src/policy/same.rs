//! Whether two right-hand sides of a TLS policy table say the same to smtp(8).
//!
//! How the words are separated, the order of different attributes, upper and lower case of what
//! Postfix compares without it, several `match=` or one: none of that is a difference
//! (`smtp/smtp_tls_policy.c`). Where a word is not understood, only the same text is the same.

use super::attribute::is_separator;
use super::row::{self, Row};
use crate::postfix::{Fingerprint, SecurityLevel};
use crate::syntax::lists::{self, BAR, COLON};

/// The name of an attribute, and the words of its value.
type Attribute = (&'static str, Vec<Vec<u8>>);

/// What a right-hand side says.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    level: SecurityLevel,
    /// Name and words of each attribute, sorted by name; those of one name in the order in which
    /// they stand.
    attributes: Vec<Attribute>,
}

/// Whether two right-hand sides say the same.
pub fn same(one: &[u8], other: &[u8]) -> bool {
    one == other || said(one).is_some_and(|it| said(other) == Some(it))
}

fn said(text: &[u8]) -> Option<Said> {
    let row = row::parse(text);
    let level = row.security_level()?;
    // Without TLS smtp(8) warns of attributes and goes on without them.
    if level == SecurityLevel::None {
        return Some(Said { level, attributes: Vec::new() });
    }
    let mut attributes = attributes(&row, level)?;
    attributes.sort_by_key(|(name, _)| *name);
    Some(Said { level, attributes })
}

fn attributes(row: &Row<'_>, level: SecurityLevel) -> Option<Vec<Attribute>> {
    let mut all: Vec<Attribute> = Vec::new();
    for word in row.words() {
        let attribute = row::attribute(row.text, word);
        let (name, _) = row::known(&row.text[attribute.name])?;
        let value = words(name, &row.text[attribute.value?], level);
        match all.iter_mut().find(|(it, _)| it == name) {
            Some((_, before)) if *name == "match" || *name == "tafile" => before.extend(value),
            // The last one counts.
            Some((_, before)) if matches!(*name, "connection_reuse" | "enable_rpk") => {
                *before = value;
            }
            Some(_) | None => all.push((name, value)),
        }
    }
    Some(all)
}

/// The parts of a value.
fn words(name: &str, value: &[u8], level: SecurityLevel) -> Vec<Vec<u8>> {
    let split = |separators| -> Vec<Vec<u8>> {
        lists::words(value, separators).map(|it| value[it].to_vec()).collect()
    };
    match (name, level) {
        ("match", SecurityLevel::Fingerprint) => {
            let one_form = |it: Vec<u8>| match Fingerprint::parse(&it) {
                Some(fingerprint) => fingerprint.to_string().into_bytes(),
                None => it,
            };
            split(BAR).into_iter().map(one_form).collect()
        }
        ("match", _) => split(COLON),
        ("protocols" | "exclude", _) => {
            let words = value.split(|it| is_separator(*it)).filter(|it| !it.is_empty());
            words.map(<[u8]>::to_vec).collect()
        }
        ("ciphers" | "connection_reuse" | "enable_rpk", _) => vec![value.to_ascii_lowercase()],
        _ => vec![value.to_vec()],
    }
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn only_what_smtp_can_tell_apart_is_another_policy() {
        for (one, other, want) in [
            ("encrypt", "ENCRYPT", true),
            ("encrypt", "may", false),
            ("encrypt", "encrypt ciphers=high", false),
            ("secure match=a:b", "secure, match=a\tMATCH=b", true),
            ("secure match=a:b", "secure match=b:a", false),
            ("secure match=a ciphers=HIGH", "secure ciphers=high match=a", true),
            ("may protocols=!SSLv2:!SSLv3", "may {protocols = !SSLv2, !SSLv3}", true),
            ("may protocols=TLSv1.2", "may protocols=TLSv1.3", false),
            ("fingerprint match=adf3|00", "fingerprint match=AD:F3 match=00", true),
            ("fingerprint match=ad:f3", "fingerprint match=ad:f4", false),
            ("fingerprint match=ad:f3|zz", "fingerprint match=ad:f3", false),
            ("secure tafile=/a tafile=/b", "secure tafile=/b tafile=/a", false),
            ("may connection_reuse=no connection_reuse=yes", "may connection_reuse=yes", true),
            ("may ciphers=high ciphers=high", "may ciphers=high", false),
            ("none match=x", "none", true),
            ("encypt", "encypt", true),
            ("encypt", "encypt ", false),
            ("encrypt # a", "encrypt # b", false),
            ("encrypt what=x", "encrypt", false),
        ] {
            assert_eq!(same(one.as_bytes(), other.as_bytes()), want, "{one} | {other}");
            assert_eq!(same(other.as_bytes(), one.as_bytes()), want, "{other} | {one}");
        }
    }
}
