//! Certificates without extensions.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "certificate-version-1",
    severity: Severity::Warning,
    summary: "a certificate is of version 1",
    doc: "
It has no extensions, so it says no names but its subject's common name, and not
whether it may sign others. Many clients refuse it. `openssl x509 -req` makes such
a certificate where it is given no `-extfile`.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_chain_files = /etc/postfix/server.pem\n\
         #                       ^^^^^^^^^^^^^^^^^^^^^^^ the certificate is of version 1\n\
         ==> server.pem <==\n",
        include_str!("examples/key.pem"),
        include_str!("examples/v1.pem"),
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
        // A root of that age is trusted because it is known.
        if certificate.version == 1 && !certificate.is_self_issued() {
            let text = format!("{} is of version 1", super::which(identity, certificate));
            let help = "have it made again, with a subjectAltName";
            findings.at(loaded.span_of(certificate), text).help(help);
        }
    });
}
