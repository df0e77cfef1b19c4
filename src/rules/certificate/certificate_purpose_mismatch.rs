//! Certificates for something else.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "certificate-purpose-mismatch",
    severity: Severity::Warning,
    summary: "a certificate is for another purpose",
    doc: "
Its extendedKeyUsage names purposes, and this one is not among them: a server's
certificate is for `serverAuth`, that of smtp(8) for `clientAuth`. Postfix sends
it; peers that verify it refuse it.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_chain_files = /etc/postfix/server.pem\n\
         #                       ^^^^^^^^^^^^^^^^^^^^^^^ the certificate is not for servers\n\
         ==> server.pem <==\n",
        include_str!("examples/key.pem"),
        include_str!("examples/client.pem"),
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
        let (fits, what) = if loaded.is_server() {
            (certificate.purposes.servers, "servers")
        } else {
            (certificate.purposes.clients, "clients")
        };
        if *certificate == identity.certificate && !fits {
            let text = format!("the certificate is not for {what}");
            let help = "have it made again, with extendedKeyUsage for this purpose or without it";
            findings.at(loaded.span_of(certificate), text).help(help);
        }
    });
}
