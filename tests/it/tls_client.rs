//! Settings of the TLS clients: what is an error to postls makes a real Postfix complain, and nothing else does.

use postls::finding::Severity;
use postls::lint;
use postls::rules;

use crate::fixture::Fixture;
use crate::lab::{self, Lab};

/// Mail goes to a server on this host that offers TLS.
#[test]
fn an_error_in_a_clients_settings_is_one_for_postfix_and_only_then() {
    let settings = [
        // Taken, or not read.
        "smtp_tls_security_level = may\nsmtp_tls_fingerprint_digest = SHA512-256\nsmtp_tls_servername = nexthop\nsmtp_tls_exclude_ciphers = MEDIUM, RC4\nsmtp_tls_ciphers = LOW",
        "smtp_tls_security_level = none\nsmtp_tls_fingerprint_digest = foo\nsmtp_tls_servername = [mx]\nsmtp_dns_support_level = DISABLED\nsmtp_host_lookup = foo",
        "smtp_tls_security_level = secure\nsmtp_tls_CAfile = /etc/postfix/ca.pem\nsmtp_tls_secure_cert_match = hostname:.example\nsmtp_tls_ciphers = strong\nsmtp_tls_protocols = foo",
        // Refused; the bounds before Postfix 3.6 alone.
        "smtp_tls_security_level = may\nsmtp_tls_fingerprint_digest =",
        "smtp_tls_policy_maps = static:may\nsmtp_tls_fingerprint_digest = foo",
        "smtp_tls_security_level = dane-only",
        "smtp_tls_security_level = may\nsmtp_tls_ciphers =",
        "smtp_enforce_tls = yes\nsmtp_tls_enforce_peername = no\nsmtp_tls_mandatory_ciphers = strong",
        "smtp_tls_security_level = encrypt\nsmtp_tls_mandatory_ciphers = null",
        "smtp_tls_security_level = may\nsmtp_tls_exclude_ciphers = ALL",
        "smtp_tls_security_level = encrypt\nsmtp_tls_mandatory_ciphers = high\nsmtp_tls_mandatory_exclude_ciphers = HIGH",
        "smtp_tls_security_level = encrypt\nsmtp_tls_mandatory_exclude_ciphers = RC4:@STRENGTH",
        "smtp_tls_security_level = encrypt\nsmtp_tls_mandatory_protocols = >=TLSv1.2",
        "smtp_tls_security_level = may\nsmtp_tls_protocols = !TLSv1, !TLSv1.1, !TLSv1.2, !TLSv1.3",
        "smtp_tls_security_level = verify\nsmtp_tls_CAfile =\ntls_append_default_CA = yes",
        "smtp_tls_security_level = may\nsmtp_tls_servername = 192.0.2.1",
        "smtp_tls_dane_insecure_mx_policy =",
    ];
    lab::with_each(|postfix| {
        let mut lab = Lab::new(postfix, &[]);
        let mut wrong = Vec::new();
        for setting in settings {
            let main_cf = format!("{setting}\n");
            let fixture = Fixture::new(&main_cf);
            let found = lint::run_all(rules::all(), &fixture.context(postfix.version));
            let errors = found.iter().filter(|it| it.severity == Severity::Error);
            let errors: Vec<&str> = errors.map(|it| it.rule).collect();
            let said = lab.judge(&[("main.cf", main_cf.as_bytes())]).said;
            let said: Vec<_> = said.iter().filter(|it| !is_about_age(it)).collect();
            if errors.is_empty() != said.is_empty() {
                wrong.push(format!("{setting}\npostls: {errors:?}\nPostfix: {said:#?}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    });
}

/// Postfix warns of parameters that will be gone; to postls that is a warning too.
fn is_about_age(said: &str) -> bool {
    said.contains("will be removed") || said.contains("DEPRECATION_README")
}
