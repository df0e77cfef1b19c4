//! Certificates after their last day.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "certificate-expired",
    severity: Severity::Warning,
    summary: "a certificate has expired",
    doc: "
Postfix loads and sends it as before. Clients for which TLS is opportunistic do
not look at it; those that verify the certificate do not deliver, and mail
programs refuse to send. An expired certificate of an issuer does the same.

Fingerprints that partners have pinned do not depend on it.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_chain_files = /etc/postfix/server.pem\n\
         #                       ^^^^^^^^^^^^^^^^^^^^^^^ the certificate was valid until 2021-01-01\n\
         ==> server.pem <==\n",
        include_str!("examples/key.pem"),
        include_str!("examples/expired.pem"),
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
    let Some(now) = super::now(context) else { return };
    super::each_certificate(context, &mut |loaded, identity, certificate| {
        if certificate.not_after < now {
            let which = super::which(identity, certificate);
            let text = format!("{which} was valid until {}", super::day(certificate.not_after));
            let help = "renew it, and let Postfix read it: postfix reload";
            findings.at(loaded.span_of(certificate), text).help(help);
        }
    });
}
