//! Certificates that are never sent.

use crate::certificate::load::ProblemKind;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "certificate-replaced",
    severity: Severity::Warning,
    summary: "a later certificate takes the place of this one",
    doc: "
OpenSSL has one place for each kind of key: RSA, ECDSA, Ed25519, Ed448. A
certificate in smtpd_tls_dcert_file or smtpd_tls_eccert_file takes the place of
one in smtpd_tls_cert_file whose key is of the same kind, whatever the names of
the parameters say. The replaced one is never sent.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_cert_file = /etc/postfix/www.pem\n\
         #                     ^^^^^^^^^^^^^^^^^^^^ line 1: this certificate is never sent: a later one has an Ed25519 key too\n\
         smtpd_tls_key_file = /etc/postfix/key.pem\n\
         smtpd_tls_eccert_file = /etc/postfix/server.pem\n\
         smtpd_tls_eckey_file = /etc/postfix/key.pem\n\
         ==> key.pem <==\n",
        include_str!("examples/key.pem"),
        "==> www.pem <==\n",
        include_str!("examples/www.pem"),
        include_str!("examples/issuer.pem"),
        "==> server.pem <==\n",
        include_str!("examples/server.pem"),
        include_str!("examples/issuer.pem"),
    ),
    good: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_cert_file = /etc/postfix/weak.pem\n\
         smtpd_tls_key_file = /etc/postfix/weak_key.pem\n\
         smtpd_tls_eccert_file = /etc/postfix/server.pem\n\
         smtpd_tls_eckey_file = /etc/postfix/key.pem\n\
         ==> key.pem <==\n",
        include_str!("examples/key.pem"),
        "==> weak_key.pem <==\n",
        include_str!("examples/weak_key.pem"),
        "==> weak.pem <==\n",
        include_str!("examples/weak.pem"),
        include_str!("examples/issuer.pem"),
        "==> server.pem <==\n",
        include_str!("examples/server.pem"),
        include_str!("examples/issuer.pem"),
    ),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let help = "keep one of them";
    super::report(context, findings, ProblemKind::Replaced, help);
}
