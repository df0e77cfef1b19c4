//! Certificates in front of their key.

use crate::certificate::load::ProblemKind;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "chain-key-not-first",
    severity: Severity::Error,
    summary: "in chain files a certificate stands in front of its key",
    doc: "
smtpd_tls_chain_files holds, over all its files, the private key, then its
certificate, then the certificates of the issuers; after that there may be another
key. Where a certificate comes first, Postfix switches TLS off.

In smtpd_tls_cert_file with the key in the same file, each order works.
",
    postfix_says: "key not first",
    fix: FixKind::Never,
    bad: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_chain_files = /etc/postfix/server.pem\n\
         #                       ^^^^^^^^^^^^^^^^^^^^^^^ line 1: this certificate stands in front of its private key, or has none\n\
         ==> server.pem <==\n",
        include_str!("examples/server.pem"),
        include_str!("examples/issuer.pem"),
        include_str!("examples/key.pem"),
    ),
    good: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_cert_file = /etc/postfix/server.pem\n\
         ==> server.pem <==\n",
        include_str!("examples/server.pem"),
        include_str!("examples/issuer.pem"),
        include_str!("examples/key.pem"),
    ),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let help = "put the private key in front of its certificate";
    super::report(context, findings, ProblemKind::KeyNotFirst, help);
}
