//! Two keys of one kind in chain files.

use crate::certificate::load::ProblemKind;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "chain-second-of-one-kind",
    severity: Severity::Error,
    summary: "chain files hold two certificates with keys of one kind",
    doc: "
OpenSSL has one place for each kind of key: RSA, ECDSA, Ed25519, Ed448. Where the
files of smtpd_tls_chain_files hold a second certificate for the same place,
Postfix switches TLS off.
",
    postfix_says: "disabling TLS support",
    fix: FixKind::Never,
    bad: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_chain_files = /etc/postfix/server.pem\n\
         #                       ^^^^^^^^^^^^^^^^^^^^^^^ line 27: this is a second certificate with an Ed25519 key: Postfix takes one of each kind\n\
         ==> server.pem <==\n",
        include_str!("examples/key.pem"),
        include_str!("examples/server.pem"),
        include_str!("examples/issuer.pem"),
        include_str!("examples/key.pem"),
        include_str!("examples/www.pem"),
    ),
    good: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_chain_files = /etc/postfix/server.pem\n\
         ==> server.pem <==\n",
        include_str!("examples/key.pem"),
        include_str!("examples/server.pem"),
        include_str!("examples/issuer.pem"),
        include_str!("examples/weak_key.pem"),
        include_str!("examples/weak.pem"),
        include_str!("examples/issuer.pem"),
    ),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let help = "keep one of them; for other names there is tls_server_sni_maps";
    super::report(context, findings, ProblemKind::SecondOfOneKind, help);
}
