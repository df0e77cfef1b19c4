//! What OpenSSL does not read.

use crate::finding::Severity;
use crate::certificate::load::ProblemKind;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "pem-block-passed-over",
    severity: Severity::Warning,
    summary: "a part of a file is passed over",
    doc: "
OpenSSL reads blocks that begin and end in lines of their own, and passes over the
rest. Here something that looks like a certificate or a key is passed over.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_chain_files = /etc/postfix/server.pem\n\
         #                       ^^^^^^^^^^^^^^^^^^^^^^^ line 15: OpenSSL does not take this for the beginning of a block: it has to be a line of its own\n\
         ==> server.pem <==\n",
        include_str!("examples/key.pem"),
        include_str!("examples/server.pem"),
        "the issuer: ",
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
    for kind in [ProblemKind::PassedOver, ProblemKind::ByteOrderMark] {
        super::report(context, findings, kind, "write each block in lines of its own");
    }
}
