//! Keys that TLS has no use for.

use crate::certificate::load::ProblemKind;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "key-unusable",
    severity: Severity::Error,
    summary: "a key is of a kind that TLS does not take",
    doc: "
OpenSSL does not take the key for TLS, and Postfix switches TLS off. Keys of RSA
with 2048 bits or more, or of the curve P-256, work everywhere.
",
    postfix_says: "disabling TLS support",
    fix: FixKind::Never,
    bad: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_chain_files = /etc/postfix/server.pem\n\
         #                       ^^^^^^^^^^^^^^^^^^^^^^^ line 4: TLS has no use for a key of this kind\n\
         ==> server.pem <==\n",
        include_str!("examples/exchange_key.pem"),
        include_str!("examples/exchange.pem"),
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
    let help = "use a key of RSA or of the curve P-256";
    super::report(context, findings, ProblemKind::KeyUnusable, help);
}
