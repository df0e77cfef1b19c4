//! Fingerprints of a digest that nobody chose.

use super::each_client;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::{Digest, SecurityLevel};

pub(super) static RULE: Rule = Rule {
    id: "implicit-fingerprint-digest",
    severity: Severity::Warning,
    summary: "fingerprints are compared, and nobody says which digest they have",
    doc: "
Up to Postfix 3.5, and later below compatibility_level 3.6, the digest is md5 where
smtp_tls_fingerprint_digest is not set. It is weak, and an upgrade or another
compatibility_level makes it sha256: then no fingerprint matches, and mail waits.

Set smtp_tls_fingerprint_digest, and best make the fingerprints with sha256.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
smtp_tls_security_level = fingerprint
smtp_tls_fingerprint_cert_match = AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0
#                                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ md5 is in force, by default
",
    good: "
smtp_tls_security_level = fingerprint
smtp_tls_fingerprint_cert_match = AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0
smtp_tls_fingerprint_digest = md5
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    each_client(context, &mut |seen| {
        let client = &seen.client;
        let Some(digest) = client.own("tls_fingerprint_digest") else { return };
        if digest.set.is_some() || Digest::parse(&digest.value) != Some(Digest::Md5) {
            return;
        }
        let is_fingerprint = |level| level == SecurityLevel::Fingerprint;
        let common = client.own("tls_fingerprint_cert_match").filter(|it| !it.is_empty());
        let common = common.and_then(|it| it.set);
        let row = || seen.row(is_fingerprint);
        let destination = || seen.destinations().find(|(level, _)| is_fingerprint(*level));
        if let Some(span) = common.or_else(row).or_else(|| Some(destination()?.1)) {
            findings
                .at(span, "md5 is in force, by default")
                .help(format!("set {} = sha256, and fingerprints of it", digest.name));
        }
    });
}
