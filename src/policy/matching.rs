//! What certificates are compared with: names and fingerprints that can match, and those that cannot.
//!
//! Follows `tls/tls_client.c` and `tls/tls_fprint.c`.

use std::net::Ipv4Addr;
use std::ops::Range;

use super::client::{Client, is_name};
use super::row::Row;
use super::what::{Name, Pin};
use crate::postfix::{Fingerprint, Version};
use crate::syntax::lists::{self, COMMA_SPACE};
use crate::text::nearest;

/// Whether `match=` is replaced by the word hostname: the MX hosts are then those that the
/// domain's MTA-STS policy names.
pub(super) fn is_sts(row: &Row<'_>, client: &Client) -> bool {
    let is_sts = |it: Range<usize>| row.text[it].eq_ignore_ascii_case(b"sts");
    client.sts_patterns
        && row.values("mx_host_pattern").next().is_some()
        && row.values("policy_type").next().is_some_and(is_sts)
}

/// The fingerprints of main.cf, for policies that have none.
pub fn pins_of_main_cf(client: &Client) -> impl Iterator<Item = Result<Fingerprint, Pin>> {
    let text = client.fingerprints.as_bytes();
    lists::words(text, COMMA_SPACE).map(move |it| pin(&text[it], client))
}

/// A fingerprint as the client reads it.
pub fn pin(text: &[u8], client: &Client) -> Result<Fingerprint, Pin> {
    let fingerprint = Fingerprint::parse(text).ok_or(Pin::Malformed)?;
    // Text of either case is compared then.
    if client.version < Version::new(3, 6)
        && !fingerprint.to_string().as_bytes().eq_ignore_ascii_case(text)
    {
        return Err(Pin::Compact);
    }
    match client.known_digest() {
        Some(digest) if digest.length() != fingerprint.length() => {
            Err(Pin::Length(fingerprint, digest))
        }
        Some(_) | None => Ok(fingerprint),
    }
}

/// Why no certificate has this name, if so.
pub fn name(text: &[u8], client: &Client) -> Option<Name> {
    const STRATEGIES: [&str; 3] = ["hostname", "nexthop", "dot-nexthop"];
    if STRATEGIES.iter().any(|it| text.eq_ignore_ascii_case(it.as_bytes())) {
        return None;
    }
    if str::from_utf8(text).is_ok_and(|it| it.parse::<Ipv4Addr>().is_ok()) {
        return Some(Name::Address);
    }
    let host = text.strip_prefix(b".").or_else(|| text.strip_prefix(b"*.")).unwrap_or(text);
    // Before 3.6 a wildcard in a certificate matches all that ends as it does.
    let mut dots = host.iter().enumerate().rev().filter(|(_, byte)| **byte == b'.');
    let tail = dots.nth(1).map_or(host, |(dot, _)| &host[dot + 1..]);
    let host = if client.version < Version::new(3, 6) { tail } else { host };
    // What stands for other letters has to stand for some.
    let is_broken = |it: &str| it.contains("xn--") && idna::domain_to_ascii(it).is_err();
    if !is_name(host, true) || str::from_utf8(host).is_ok_and(is_broken) {
        return Some(Name::Form);
    }
    if text.contains(&b'.') {
        return None;
    }
    nearest(str::from_utf8(text).ok()?, STRATEGIES.into_iter()).map(Name::Typo)
}

/// Whether a word is `match=` in its usual form, with names behind it that each have a dot.
pub(super) fn is_plain_match(word: &[u8]) -> bool {
    let Some(names) = word.strip_prefix(b"match=") else { return false };
    // Byte by byte in one go: a large table has little else.
    let (mut length, mut has_dot, mut has_letter) = (0_usize, false, false);
    for byte in names {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => (length, has_letter) = (length + 1, true),
            b'0'..=b'9' => length += 1,
            // Two may begin what stands for other letters.
            b'-' if length > 0 && length != 2 => length += 1,
            // A leading dot stands for sub-domains.
            b'.' if !has_dot || (1..64).contains(&length) => (length, has_dot) = (0, true),
            b':' if has_dot && has_letter && (1..64).contains(&length) => {
                (length, has_dot, has_letter) = (0, false, false);
            }
            _ => return false,
        }
    }
    has_dot && has_letter && (1..64).contains(&length)
}
