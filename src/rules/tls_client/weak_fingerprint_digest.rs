//! md5 and sha1 for fingerprints.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::Digest;

pub(super) static RULE: Rule = Rule {
    id: "weak-fingerprint-digest",
    severity: Severity::Warning,
    summary: "fingerprints are made with a weak digest",
    doc: "
Two certificates with the same md5 or sha1 fingerprint can be made. A
fingerprint policy is the strongest that Postfix has, and it is no stronger than
its digest. An OpenSSL in FIPS mode has no md5 at all, and then the whole TLS
client is off.

Changing smtp_tls_fingerprint_digest makes every fingerprint in the tables
invalid: change both in one step, `openssl x509 -noout -fingerprint -sha256`
prints the new ones.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
smtp_tls_fingerprint_digest = sha1
#                             ^^^^ sha1 is weak
",
    good: "
smtp_tls_fingerprint_digest = sha256
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(configuration) = &context.configuration else { return };
    for name in ["smtp_tls_fingerprint_digest", "lmtp_tls_fingerprint_digest"] {
        let Some(setting) = configuration.setting(name) else { continue };
        let digest = configuration.value(name).0.ok().and_then(|it| Digest::parse(&it));
        if let Some(digest) = digest.filter(|it| it.is_weak()) {
            findings
                .at(setting.value_span(), format!("{digest} is weak"))
                .help("use sha256, and fingerprints of that length, in one step");
        }
    }
}
