//! Keys of another certificate.

use crate::certificate::load::ProblemKind;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "key-mismatch",
    severity: Severity::Error,
    summary: "private key and certificate do not belong together",
    doc: "
The private key is another one than that of the certificate, so Postfix switches
TLS off. Mostly one of the two files was renewed and the other was not.
",
    postfix_says: "does not match next certificate",
    fix: FixKind::Never,
    bad: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_chain_files = /etc/postfix/server.pem\n\
         #                       ^^^^^^^^^^^^^^^^^^^^^^^ line 1: this private key is not the certificate's\n\
         ==> server.pem <==\n",
        include_str!("examples/other_key.pem"),
        include_str!("examples/server.pem"),
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
    let help = "name the key that the certificate was made with";
    super::report(context, findings, ProblemKind::KeyMismatch, help);
}
