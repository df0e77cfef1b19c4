//! A digest that OpenSSL does not have.

use super::{each_client, shown};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::{DigestName, Version};

pub(super) static RULE: Rule = Rule {
    id: "unknown-fingerprint-digest",
    severity: Severity::Error,
    summary: "OpenSSL has no digest of this name",
    doc: "
smtp(8) and lmtp(8) look for their fingerprint digest when they start, whether or
not there are fingerprints. Without it they do without TLS altogether: at level
may mail goes out in clear text, at the others all mail waits. On an empty value
they exit.

Which names there are, OpenSSL decides: sha-256 is one from OpenSSL 3 on, md4 and
whirlpool are for OpenSSL 3 only with its legacy provider; those are warnings.
sha256 is known to all.
",
    postfix_says: "Digest algorithm \"sha2\" not found",
    fix: FixKind::Never,
    bad: "
smtp_tls_security_level = may
smtp_tls_fingerprint_digest = sha2
#                             ^^^^ smtp(8) does without TLS: \"sha2\" is no digest
",
    good: "
smtp_tls_security_level = may
smtp_tls_fingerprint_digest = SHA3-256
lmtp_tls_fingerprint_digest = sha512-256
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    // Postfix 3.5 and OpenSSL 3 have hardly met.
    let is_old = context.version() < Version::new(3, 6);
    each_client(context, &mut |seen| {
        let client = &seen.client;
        let Some(given) = client.own("tls_fingerprint_digest") else { return };
        let Some(span) = given.set else { return };
        let (program, digest) = (client.program, shown(&given.value));
        let (severity, text) = match DigestName::of(&given.value) {
            DigestName::Unknown if given.is_empty() => {
                (Severity::Error, format!("{program}(8) exits on an empty value"))
            }
            DigestName::Unknown if client.uses_tls() => {
                let text = format!("{program}(8) does without TLS: \"{digest}\" is no digest");
                (Severity::Error, text)
            }
            DigestName::Unknown => (Severity::Warning, format!("\"{digest}\" is no digest")),
            DigestName::Legacy => (Severity::Warning, format!("OpenSSL 3 has no {digest}")),
            DigestName::Newer if is_old => {
                (Severity::Warning, format!("OpenSSL 1.1 has no \"{digest}\""))
            }
            DigestName::Newer | DigestName::Known => return,
        };
        findings.milder(severity, span, text).help("sha256 is known to all");
    });
}
