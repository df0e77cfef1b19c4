//! Keys that are too short.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "weak-key",
    severity: Severity::Warning,
    summary: "a key is too short",
    doc: "
A key of RSA with less than 2048 bits can be computed from its certificate.
Clients with OpenSSL's usual settings refuse it, and deliver in clear text or not
at all.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_chain_files = /etc/postfix/server.pem\n\
         #                       ^^^^^^^^^^^^^^^^^^^^^^^ the certificate has a key of RSA 1024\n\
         ==> server.pem <==\n",
        include_str!("examples/weak_key.pem"),
        include_str!("examples/weak.pem"),
        include_str!("examples/issuer.pem"),
    ),
    good: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_chain_files = /etc/postfix/server.pem\n\
         ==> server.pem <==\n",
        include_str!("examples/key.pem"),
        include_str!("examples/server.pem"),
        include_str!("examples/issuer.pem"),
    ),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    super::each_certificate(context, &mut |loaded, identity, certificate| {
        if certificate.key.is_weak() {
            let which = super::which(identity, certificate);
            let text = format!("{which} has a key of {}", certificate.key);
            let help = "make a key of RSA with 2048 bits or of the curve P-256, and a certificate for it";
            findings.at(loaded.span_of(certificate), text).help(help);
        }
    });
}
