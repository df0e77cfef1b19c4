//! Keys without their certificate.

use crate::certificate::load::ProblemKind;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "certificate-not-in-file",
    severity: Severity::Error,
    summary: "there is no certificate where one has to be",
    doc: "
In the files of smtpd_tls_chain_files a certificate follows each private key, and
in smtpd_tls_cert_file there is one. Where it is missing, Postfix switches TLS
off.
",
    postfix_says: "No certs for key",
    fix: FixKind::Never,
    bad: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_chain_files = /etc/postfix/server.pem\n\
         #                       ^^^^^^^^^^^^^^^^^^^^^^^ line 1: no certificate follows this private key\n\
         ==> server.pem <==\n",
        include_str!("examples/key.pem"),
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
    let help = "add the certificate, and those of its issuers, behind the key";
    super::report(context, findings, ProblemKind::CertificateMissing, help);
}
