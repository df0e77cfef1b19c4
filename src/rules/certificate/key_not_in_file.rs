//! Certificates without their key.

use crate::certificate::load::ProblemKind;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "key-not-in-file",
    severity: Severity::Error,
    summary: "there is no private key where one has to be",
    doc: "
Where smtpd_tls_key_file is not set, the private key has to be in the file of
smtpd_tls_cert_file. Without a private key Postfix switches TLS off.
",
    postfix_says: "No private key found in",
    fix: FixKind::Never,
    bad: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_cert_file = /etc/postfix/server.pem\n\
         #                     ^^^^^^^^^^^^^^^^^^^^^^^ there is no private key in it\n\
         ==> server.pem <==\n",
        include_str!("examples/server.pem"),
        include_str!("examples/issuer.pem"),
    ),
    good: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_cert_file = /etc/postfix/server.pem\n\
         smtpd_tls_key_file = /etc/postfix/own.pem\n\
         ==> server.pem <==\n",
        include_str!("examples/server.pem"),
        include_str!("examples/issuer.pem"),
        "==> own.pem <==\n",
        include_str!("examples/key.pem"),
    ),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let help = "set the parameter of the key file to the file with the private key";
    super::report(context, findings, ProblemKind::KeyMissing, help);
}
