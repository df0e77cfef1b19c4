//! Files without PEM blocks.

use crate::finding::Severity;
use crate::certificate::load::ProblemKind;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "certificate-not-pem",
    severity: Severity::Error,
    summary: "a certificate or key is in no PEM file",
    doc: "
Postfix reads certificates and keys in PEM: text between `-----BEGIN …-----` and
`-----END …-----`. Of a file in DER or PKCS#12, an empty one or a directory it
reads nothing, and switches TLS off: smtpd(8) answers that TLS is not available,
smtp(8) sends in clear text where TLS is opportunistic, and not at all where it is
mandatory.

`openssl x509 -inform der`, `openssl pkey -inform der` and `openssl pkcs12 -nodes`
write PEM.
",
    postfix_says: "No PEM data in",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtpd_tls_security_level = may
smtpd_tls_chain_files = /etc/postfix/server.pem
#                       ^^^^^^^^^^^^^^^^^^^^^^^ there is no PEM block in it
==> server.pem <==
to be copied
",
    good: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_chain_files = /etc/postfix/server.pem\n\
         ==> server.pem <==\n\
         the key:\n",
        include_str!("examples/key.pem"),
        "the certificate:\n",
        include_str!("examples/server.pem"),
        include_str!("examples/issuer.pem"),
    ),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for kind in [ProblemKind::NotPem, ProblemKind::Der] {
        super::report(context, findings, kind, "name a PEM file with key and certificate");
    }
}
