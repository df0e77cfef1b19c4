//! Inputs that are the same in every run: what large hosts have, made up.
//!
//! The forms of the rows are those of the public TLS policy tables that list
//! many destinations: most name the server, some only ask for encryption, few
//! pin a fingerprint; some run over several lines, and there are remarks.

use std::fmt::Write;

/// The main.cf beside them.
pub(crate) const MAIN_CF: &str = "\
compatibility_level = 3.6
smtp_tls_security_level = may
smtp_tls_policy_maps = lmdb:$config_directory/tls_policy
";

const WORDS: [&str; 32] = [
    "alder", "amber", "birch", "bridge", "brook", "castle", "cedar", "clear", "coast", "copper",
    "delta", "ember", "falcon", "field", "forest", "garden", "glen", "harbour", "hazel", "hill",
    "island", "lake", "linden", "maple", "meadow", "north", "river", "rowan", "silver", "stone",
    "valley", "willow",
];
const ENDS: [&str; 4] = ["example", "example.com", "example.net", "example.org"];

/// A TLS policy table with four mistakes at its end.
pub(crate) fn table(rows: u32) -> Vec<u8> {
    let mut text = String::from("# TLS policies for outgoing mail\n\n");
    for index in 0..rows {
        if index % 50 == 49 {
            let _ = write!(text, "\n# Ticket {index}: asked for by telephone\n");
        }
        let name = domain(index);
        let _ = match noise(index, 0) % 100 {
            0..25 => writeln!(text, "{name}\t\tsecure match=.{}", domain(index / 2)),
            25..45 => writeln!(text, "{name}\tsecure match=nexthop:dot-nexthop"),
            45..57 => writeln!(
                text,
                "{name} secure match=mx1.{name}:mx2.{name} protocols=>=TLSv1.2 ciphers=high"
            ),
            57..62 => writeln!(text, "{name}\n    secure match=mx.{name}:.mail.{name}"),
            62..68 => writeln!(
                text,
                "[mail.{name}]:587    secure match=mail.{name} servername=mail.{name}"
            ),
            68..82 => writeln!(text, "{name}    encrypt"),
            82..89 => writeln!(text, ".{name} encrypt protocols=>=TLSv1.2"),
            89..93 => writeln!(text, "{name} dane-only"),
            93..96 => writeln!(text, "{name} fingerprint match={}", pin(index)),
            96..97 => writeln!(
                text,
                "{name} fingerprint\n    match={}\n    # the next one\n    match={}",
                pin(index),
                pin(index + 1)
            ),
            97..99 => writeln!(text, "{name} verify ciphers=high"),
            _ => writeln!(text, "{name} may"),
        };
    }
    let again = domain(0).to_uppercase();
    let _ =
        writeln!(text, "{again} none\nmissing.example\na.example encypt\nb.example may match=x");
    text.into_bytes()
}

/// A policy file in all the forms that destinations have.
pub(crate) fn policy_file(destinations: u32) -> Vec<u8> {
    let mut text = String::from(
        "version: 1
postfix: \"3.7\"
parameters:
  smtp_tls_security_level: dane
  smtp_dns_support_level: dnssec
  smtp_tls_fingerprint_digest: sha256
table: {type: lmdb}
profiles:
  partner: {level: secure, protocols: \">=TLSv1.2\", ciphers: high}
  pinned: {level: fingerprint, protocols: \">=TLSv1.2\"}
destinations:
",
    );
    for index in 0..destinations {
        let name = domain(index);
        let _ = match noise(index, 0) % 10 {
            0..3 => writeln!(text, "  {name}: encrypt\n  .{name}: encrypt"),
            3..5 => writeln!(text, "  {name}: {{use: partner}}"),
            5..7 => writeln!(
                text,
                "  {name}: {{use: partner, match: [mx.{name}, .mail.{name}]}} # as agreed"
            ),
            7 => writeln!(
                text,
                "  \"[mail.{name}]:587\": {{level: secure, match: [mail.{name}], servername: mail.{name}}}"
            ),
            8 => writeln!(
                text,
                "  {name}:\n    use: pinned\n    pins:\n      - public-key: \"{}\"\n        retire: 2031-01-31\n      - public-key: \"{}\"\n    owner: mail-team",
                pin(index),
                pin(index + 1)
            ),
            _ => writeln!(
                text,
                "  {name}:\n    level: dane-only\n    reason: contract {index}\n    expires: 2031-06-30"
            ),
        };
    }
    text.into_bytes()
}

/// A name for each number below 2^20, in no order.
fn domain(index: u32) -> String {
    // An odd factor makes every number another one.
    let mixed = index.wrapping_mul(0x9E_37_79_B1) % (1 << 20);
    let word = |shift: u32| WORDS[(mixed >> shift) as usize % WORDS.len()];
    let end = ENDS[noise(index, 1) as usize % ENDS.len()];
    format!("{}-{}{}.{end}", word(0), word(5), mixed >> 10)
}

/// A SHA-256 fingerprint.
fn pin(index: u32) -> String {
    let bytes: Vec<String> =
        (0..32).map(|byte| format!("{:02X}", noise(index, byte) % 256)).collect();
    bytes.join(":")
}

/// A number that looks like chance (the last step of MurmurHash3).
fn noise(index: u32, salt: u32) -> u32 {
    let mut bits = index.wrapping_mul(37).wrapping_add(salt) ^ 0x5b_d1_e9_95;
    bits = (bits ^ (bits >> 16)).wrapping_mul(0x85_eb_ca_6b);
    bits = (bits ^ (bits >> 13)).wrapping_mul(0xc2_b2_ae_35);
    bits ^ (bits >> 16)
}
