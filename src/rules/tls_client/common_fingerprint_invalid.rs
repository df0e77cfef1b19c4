//! Fingerprints in main.cf that match nothing.

use super::{each_client, related};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::{Digest, Fingerprint, SecurityLevel, Version};
use crate::syntax::lists::{self, COMMA_SPACE_FLAT};

pub(super) static RULE: Rule = Rule {
    id: "common-fingerprint-invalid",
    severity: Severity::Error,
    summary: "a fingerprint in main.cf matches nothing",
    doc: "
smtp_tls_fingerprint_cert_match has the fingerprints for the level fingerprint
where a policy has none of its own, with commas or blanks between them. Each is
pairs of hexadecimal digits with a colon between two pairs (3.6 and newer can do
without colons), and as long as those of smtp_tls_fingerprint_digest.

Another value matches nothing; 3.6 and newer say so in the log. If there is no good
one all mail waits. It is a warning where main.cf does not ask for the level.
",
    postfix_says: "malformed fingerprint value\nServer certificate not verified",
    fix: FixKind::Never,
    bad: "
smtp_tls_security_level = fingerprint
smtp_tls_fingerprint_digest = sha1
smtp_tls_fingerprint_cert_match = AD-F3-C3-68-2B-CE-8D-DA-A3-83-AC-84-F6-5B-52-E0-B4-88-CD-9B
#                                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the first one is no fingerprint
",
    good: "
smtp_tls_security_level = may
smtp_tls_fingerprint_digest = sha1
smtp_tls_fingerprint_cert_match = AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0:B4:88:CD:9B
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let needs_colons = context.version() < Version::new(3, 6);
    each_client(context, &mut |seen| {
        let client = &seen.client;
        let (Some(given), Some(digest)) =
            (client.own("tls_fingerprint_cert_match"), client.own("tls_fingerprint_digest"))
        else {
            return;
        };
        let Some(span) = given.set else { return };
        let in_force = Digest::parse(&digest.value);
        let is_used = seen.is_at(|level| level == SecurityLevel::Fingerprint);
        let severity = if is_used { Severity::Error } else { Severity::Warning };
        let words = lists::words(&given.value, COMMA_SPACE_FLAT).map(|it| &given.value[it]);
        for (index, word) in words.enumerate() {
            let what = match (Fingerprint::parse(word), in_force) {
                (None, _) => "is no fingerprint".to_owned(),
                (Some(_), _) if needs_colons && word.split(|it| *it == b':').any(|it| it.len() > 2) => {
                    "has no colon between two pairs".to_owned()
                }
                (Some(fingerprint), Some(digest)) if fingerprint.length() != digest.length() => {
                    format!("has {} bytes, and a {digest} fingerprint {}", fingerprint.length(), digest.length())
                }
                (Some(_), _) => continue,
            };
            let which = match index {
                0 => "the first one".to_owned(),
                _ => format!("number {}", index + 1),
            };
            related(findings.milder(severity, span, format!("{which} {what}")), &digest, "the digest");
            // The rest is of the same kind.
            break;
        }
    });
}
