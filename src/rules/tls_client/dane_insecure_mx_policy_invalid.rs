//! What DANE does where the MX records are not signed.

use super::{each_client, shown};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::SecurityLevel;

pub(super) static RULE: Rule = Rule {
    id: "dane-insecure-mx-policy-invalid",
    severity: Severity::Error,
    summary: "smtp_tls_dane_insecure_mx_policy is none of may, encrypt and dane",
    doc: "
smtp(8) exits at its start on any other word, whether or not somebody wants DANE;
all mail waits in the queue. `postfix check` says nothing.
",
    postfix_says: "invalid smtp_tls_dane_insecure_mx_policy: \"none\"",
    fix: FixKind::Never,
    bad: "
smtp_tls_dane_insecure_mx_policy = none
#                                  ^^^^ smtp(8) exits on \"none\"
",
    good: "
smtp_tls_dane_insecure_mx_policy = Encrypt
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    each_client(context, &mut |seen| {
        if seen.client.program != "smtp" {
            return;
        }
        let Some(given) = seen.client.own("tls_dane_insecure_mx_policy") else { return };
        let Some(span) = given.set else { return };
        let is_valid = match SecurityLevel::parse(&given.value) {
            Some(SecurityLevel::May | SecurityLevel::Encrypt | SecurityLevel::Dane) => true,
            Some(
                SecurityLevel::None
                | SecurityLevel::DaneOnly
                | SecurityLevel::Fingerprint
                | SecurityLevel::Verify
                | SecurityLevel::Secure,
            )
            | None => false,
        };
        if !is_valid {
            let text = format!("smtp(8) exits on \"{}\"", shown(&given.value));
            findings.at(span, text).help("one of may, encrypt, dane");
        }
    });
}
