//! Inputs that are the same in every run: what large hosts have, made up.
//!
//! The forms of the rows are those of the public TLS policy tables that list
//! many destinations: most name the server, some only ask for encryption, few
//! pin a fingerprint; a few run over several lines, and there are remarks.

use std::fmt::Write;

/// The main.cf beside them: all that the rows need is there, so that their mistakes are few.
pub(crate) const MAIN_CF: &str = "\
compatibility_level = 3.6
smtp_tls_security_level = may
smtp_dns_support_level = dnssec
smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt
smtp_tls_policy_maps = lmdb:$config_directory/tls_policy
";

const WORDS: [&str; 32] = [
    "alder", "amber", "birch", "bridge", "brook", "castle", "cedar", "clear", "coast", "copper",
    "delta", "ember", "falcon", "field", "forest", "garden", "glen", "harbour", "hazel", "hill",
    "island", "lake", "linden", "maple", "meadow", "north", "river", "rowan", "silver", "stone",
    "valley", "willow",
];
const ENDS: [&str; 4] = ["example", "example.com", "example.net", "example.org"];

/// What to add to a main.cf that lists no table.
pub(crate) const POLICY_MAPS: &str = "smtp_tls_policy_maps = lmdb:$config_directory/tls_policy\n";

/// The rows of a TLS policy table, in no order.
pub(crate) fn rows(count: u32) -> Vec<String> {
    (0..count).map(row).collect()
}

/// The shares are those of the public tables: four of five rows say `match=`.
fn row(index: u32) -> String {
    let name = domain(index);
    // Many destinations have their mail at few providers.
    let provider = domain(noise(index, 1) % 1000);
    match noise(index, 0) % 100 {
        0..38 => format!("{name}\t\tsecure match=.{provider}"),
        38..60 => format!("{name}\tsecure match=nexthop:dot-nexthop"),
        60..80 => format!("{name}    secure match=mx.{name}:.{provider}"),
        80..82 => format!("{name} secure match=mx.{name} protocols=>=TLSv1.2 ciphers=high"),
        82..84 => format!("[mx.{name}]:587 secure match=mx.{name} servername=mx.{name}"),
        84..91 => format!("{name} encrypt"),
        91..93 => format!(".{name} encrypt protocols=>=TLSv1.2"),
        93..96 => format!("{name}\tdane-only"),
        96 => format!("{name} fingerprint match={}", pin(index)),
        97 => format!("{name} secure\n    # as agreed\n    match=mx1.{name}:mx2.{name}"),
        98 => format!("{name} verify ciphers=high"),
        _ => format!("{name} may"),
    }
}

/// A table of such rows, with remarks between them and four mistakes at the end.
pub(crate) fn table(rows: &[String]) -> Vec<u8> {
    let mut text = String::from("# TLS policies for outgoing mail\n");
    for (index, row) in rows.iter().enumerate() {
        if index % 20 == 0 {
            let _ = write!(text, "\n# Ticket {index}: asked for by telephone\n");
        }
        text.push_str(row);
        text.push('\n');
    }
    let again = domain(0).to_uppercase();
    let _ = writeln!(text, "{again} none\nmissing.test\na.test encypt\nb.test may match=x");
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
            0..2 => writeln!(text, "  {name}: encrypt"),
            2 => writeln!(text, "  .{name}: encrypt"),
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

/// A name for each number below 2^21, in no order.
fn domain(index: u32) -> String {
    // An odd factor makes every number another one.
    let mixed = index.wrapping_mul(0x9E_37_79_B1) % (1 << 21);
    let word = WORDS[mixed as usize % WORDS.len()];
    let end = ENDS[noise(mixed, 2) as usize % ENDS.len()];
    format!("{word}{}.{end}", mixed >> 5)
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
