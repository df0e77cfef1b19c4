//! Values that must not be empty.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "smtpd-tls-value-empty",
    severity: Severity::Error,
    summary: "a TLS setting of the server has no value",
    doc: "
An empty smtpd_tls_ciphers, smtpd_tls_mandatory_ciphers, smtpd_tls_eecdh_grade or
smtpd_tls_fingerprint_digest is not the default: smtpd(8) exits at its start,
even where TLS is off, and no mail arrives.

Remove the line, and the default holds.
",
    postfix_says: "bad string length 0 < 1: smtpd_tls_ciphers",
    fix: FixKind::Never,
    bad: "
unused =
smtpd_tls_ciphers = $unused
#                   ^^^^^^^ smtpd(8) exits on an empty value
",
    good: "
smtpd_tls_exclude_ciphers =
smtpd_tls_protocols =
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for name in ["ciphers", "mandatory_ciphers", "eecdh_grade", "fingerprint_digest"] {
        let name = format!("smtpd_tls_{name}");
        let found = super::places(context, |it| {
            Some((it.set(&name).filter(|_| it.is_empty(&name))?, ()))
        });
        for (span, ()) in found {
            findings.at(span, "smtpd(8) exits on an empty value").help("remove the line");
        }
    }
}
