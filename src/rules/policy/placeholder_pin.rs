//! Pins that stand for one that was to be filled in.

use std::sync::LazyLock;

use crate::certificate;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule, WrittenPin};
use crate::postfix::{Digest, Fingerprint, SecurityLevel};

pub(super) static RULE: Rule = Rule {
    id: "placeholder-pin",
    severity: Severity::Error,
    summary: "a pin is a placeholder",
    doc: "
All zeros, AA:BB:CC, a few bytes over and over, 01:02:03: no certificate and no key
has such a fingerprint. Nor has one the digest of nothing, or of an empty line, which
is what `openssl` prints at the end of a pipe whose first part has failed. If a
policy has no other pin, all mail to the destination waits; beside one that somebody
may have it is a warning.

A fingerprint of Postfix's documentation, or of a well-known example, is a warning
too: it is somebody's, but hardly that of your partner.
",
    postfix_says: "Server certificate not verified",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
smtp_tls_fingerprint_digest = sha1
==> tls_policy <==
example.com fingerprint
    match=00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00
#         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a placeholder: no server has this fingerprint
",
    good: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
smtp_tls_fingerprint_digest = sha1
==> tls_policy <==
example.com encrypt
# fingerprint match=00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut note = |span, fingerprint: &Fingerprint, rest: Severity| {
        if let Some(what) = Placeholder::of(fingerprint) {
            let severity = if what.is_impossible() { rest } else { Severity::Warning };
            findings.milder(severity, span, what.text()).help(what.help());
        }
    };
    let nobody_has = |it: &Fingerprint| Placeholder::of(it).is_some_and(Placeholder::is_impossible);
    // Of several digests of one key only the one in force goes into the table.
    let table = context.policies.map(|it| &it.table);
    let digest = table.and_then(|it| context.client(it.client()).client.known_digest());
    let is_useless = |it: &WrittenPin<'_>| match it.pin {
        Some(pin) => pin.in_force(digest).is_some_and(|it| nobody_has(&it.value)),
        None => it.fingerprints.iter().any(nobody_has),
    };
    for destination in context.pinned() {
        let has_none = destination.pins.iter().all(is_useless);
        let rest = if has_none { Severity::Error } else { Severity::Warning };
        for pin in &destination.pins {
            match pin.pin {
                Some(pin) => pin.given.iter().for_each(|it| note(it.span, &it.value, rest)),
                None => pin.fingerprints.iter().for_each(|it| note(pin.span, it, rest)),
            }
        }
    }
    for (client, pins) in context.common_pins() {
        let is_used = client.client.level == Ok(SecurityLevel::Fingerprint);
        let has_none = pins.value.iter().all(nobody_has);
        let rest = if is_used && has_none { Severity::Error } else { Severity::Warning };
        // All of them stand at one place.
        if let Some(first) = pins.value.iter().find(|it| Placeholder::of(it).is_some()) {
            note(pins.span, first, rest);
        }
    }
}

/// What a fingerprint is that was never that of a partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Placeholder {
    /// Bytes in an order that no digest makes.
    Pattern,
    /// The digest of nothing or of an empty line.
    OfNothing,
    /// It stands in documentation.
    Sample,
}

/// Postfix's TLS_README, SMTPD_POLICY_README and postconf(5), and an example that is often copied.
const SAMPLES: &[&str] = &[
    "D7:04:2F:A7:0B:8C:A5:21:FA:31:77:E1:41:8A:EE:80",
    "C2:9D:F4:87:71:73:73:D9:18:E7:C2:F3:C1:DA:6E:04",
    "3D:95:34:51:24:66:33:B9:D2:40:99:C0:C1:17:0B:D1",
    "EC:3B:2D:B0:5B:B1:FB:6D:20:A3:9D:72:F6:8D:12:35",
    "D4:6A:AB:19:24:79:F8:32:BB:A6:CB:66:82:C0:8E:9B:EE:29:A8:1A",
    "64:3F:1F:F6:E5:1E:D4:2A:56:8B:FC:09:1A:61:98:B5:BC:7C:60:58",
    "AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0:B4:88:CD:9B",
    "09:16:54:5E:CB:B3:7F:0B:E4:73:64:60:69:AA:4F:72:00:4F:0F:1C",
];

/// Fingerprints that are none of a partner.
fn known() -> Vec<(Fingerprint, Placeholder)> {
    let nothing = |it: Digest| [b"".as_slice(), b"\n"].map(|input| certificate::fingerprint(it, input));
    let of_nothing = Digest::ALL.into_iter().flat_map(nothing);
    let samples = SAMPLES.iter().filter_map(|it| Fingerprint::parse(it.as_bytes()));
    let of_nothing = of_nothing.map(|it| (it, Placeholder::OfNothing));
    of_nothing.chain(samples.map(|it| (it, Placeholder::Sample))).collect()
}

impl Placeholder {
    fn of(fingerprint: &Fingerprint) -> Option<Placeholder> {
        // A policy file may have a million pins: what they are compared with is made once.
        static KNOWN: LazyLock<Vec<(Fingerprint, Placeholder)>> = LazyLock::new(known);
        if is_pattern(fingerprint.bytes()) {
            return Some(Placeholder::Pattern);
        }
        KNOWN.iter().find(|it| it.0 == *fingerprint).map(|it| it.1)
    }

    fn is_impossible(self) -> bool {
        match self {
            Placeholder::Pattern | Placeholder::OfNothing => true,
            Placeholder::Sample => false,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Placeholder::Pattern => "a placeholder: no server has this fingerprint",
            Placeholder::OfNothing => "the digest of nothing: no server has this fingerprint",
            Placeholder::Sample => "this fingerprint stands in documentation",
        }
    }

    fn help(self) -> &'static str {
        match self {
            Placeholder::Pattern | Placeholder::Sample => "ask the partner for the fingerprint of the key",
            Placeholder::OfNothing => "make it again, and look at what each command of the pipe prints",
        }
    }
}

/// Whether no digest makes these bytes: one in 2^64 of the shortest fingerprints would be found by
/// accident.
fn is_pattern(bytes: &[u8]) -> bool {
    let repeats = |period: usize| bytes.iter().zip(&bytes[period..]).all(|(a, b)| a == b);
    let is_doubled = |it: &u8| it >> 4 == it & 0xf;
    let step = |at: usize| bytes[at + 1].wrapping_sub(bytes[at]);
    let steps = bytes.len().saturating_sub(1);
    // A run that begins anew once or twice.
    let is_run = |by: u8| (0..steps).filter(|it| step(*it) != by).count() <= 2;
    (1..=bytes.len() / 2).any(repeats)
        || bytes.iter().all(is_doubled)
        || (steps > 0 && [step(0), step(steps - 1)].into_iter().any(is_run))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_told_from_digests() {
        for (text, want) in [
            ("AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99", Some(Placeholder::Pattern)),
            ("01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10", Some(Placeholder::Pattern)),
            ("01:02:03:04:05:06:07:08:09:10:11:12:13:14:15:16", Some(Placeholder::Pattern)),
            ("01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67", Some(Placeholder::Pattern)),
            ("FF:EE:DD:CC:BB:AA:99:88:77:66:55:44:33:22:11:00", Some(Placeholder::Pattern)),
            ("DE:AD:BE:EF:DE:AD:BE:EF:DE:AD:BE:EF:DE:AD:BE:EF", Some(Placeholder::Pattern)),
            ("D4:1D:8C:D9:8F:00:B2:04:E9:80:09:98:EC:F8:42:7E", Some(Placeholder::OfNothing)),
            ("68:B3:29:DA:98:93:E3:40:99:C7:D8:AD:5C:B9:C9:40", Some(Placeholder::OfNothing)),
            ("D7:04:2F:A7:0B:8C:A5:21:FA:31:77:E1:41:8A:EE:80", Some(Placeholder::Sample)),
            ("D7:04:2F:A7:0B:8C:A5:21:FA:31:77:E1:41:8A:EE:81", None),
            ("AD", None),
        ] {
            let fingerprint = Fingerprint::parse(text.as_bytes()).expect("it is one");
            assert_eq!(Placeholder::of(&fingerprint), want, "{text}");
        }
        // Digests are none.
        for number in 0..20_000_u32 {
            let digest = certificate::fingerprint(Digest::Md5, &number.to_be_bytes());
            assert_eq!(Placeholder::of(&digest), None, "{digest}");
        }
    }
}
