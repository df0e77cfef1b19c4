//! A digest for the fingerprints of clients that OpenSSL does not have.

use crate::config::ServerTls;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::DigestName;

pub(super) static RULE: Rule = Rule {
    id: "smtpd-fingerprint-digest-unknown",
    severity: Severity::Error,
    summary: "the server's fingerprint digest does not exist",
    doc: "
smtpd(8) asks OpenSSL for the digest before it does anything with TLS, whether
fingerprints are used or not. Where OpenSSL does not have it, smtpd(8) does
without TLS: it still offers STARTTLS, and answers with an error. `postfix
check` says nothing.

Names that only some versions of OpenSSL have are not found.
",
    postfix_says: "Digest algorithm \"sha265\" not found",
    fix: FixKind::Never,
    bad: "
smtpd_tls_security_level = may
smtpd_tls_fingerprint_digest = sha265
#                              ^^^^^^ no OpenSSL has \"sha265\": smtpd(8) does without TLS
",
    good: "
smtpd_tls_security_level = may
smtpd_tls_chain_files = /etc/postfix/server.pem
smtpd_tls_fingerprint_digest = SHA3-256
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let digests = super::read(context, |tls| match tls {
        ServerTls::Off => &[],
        ServerTls::Opportunistic | ServerTls::Mandatory => &["smtpd_tls_fingerprint_digest"],
    });
    for (set, _) in digests {
        match DigestName::of(&set.text) {
            DigestName::Known | DigestName::Newer | DigestName::Legacy => continue,
            // On an empty value smtpd(8) exits: smtpd-tls-value-empty.
            DigestName::Unknown if set.text.is_empty() => continue,
            DigestName::Unknown => {}
        }
        let text = format!("no OpenSSL has \"{}\": smtpd(8) does without TLS", set.shown());
        findings.at(set.span, text).help("sha256");
    }
}
