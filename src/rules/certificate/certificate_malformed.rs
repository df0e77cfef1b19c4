//! PEM blocks that cannot be read.

use crate::certificate::load::ProblemKind;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "certificate-malformed",
    severity: Severity::Error,
    summary: "a certificate or key is damaged",
    doc: "
OpenSSL cannot read a block of the file, so Postfix switches TLS off. Mostly a
line is missing, or two files were joined without a line end between them.

Compare with `openssl x509 -in FILE` or `openssl pkey -in FILE`, and copy the file
again.
",
    postfix_says: "disabling TLS support",
    fix: FixKind::Never,
    bad: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_chain_files = /etc/postfix/server.pem\n\
         #                       ^^^^^^^^^^^^^^^^^^^^^^^ line 4: what stands in this block is no certificate\n\
         ==> server.pem <==\n",
        include_str!("examples/key.pem"),
        "-----BEGIN CERTIFICATE-----\n\
         MAMCAQE=\n\
         -----END CERTIFICATE-----\n",
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
    let help = "copy the file again from where it comes";
    super::report(context, findings, ProblemKind::Malformed, help);
}
