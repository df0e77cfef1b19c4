//! Certificates beside smtp_tls_chain_files.

use super::{each_client, related};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "smtp-certificate-ignored",
    severity: Severity::Warning,
    summary: "a certificate of the client is ignored beside smtp_tls_chain_files",
    doc: "
Where smtp_tls_chain_files is set smtp(8) does not look at smtp_tls_cert_file,
smtp_tls_eccert_file, smtp_tls_dcert_file and their keys, and says nothing.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
smtp_tls_chain_files = /etc/postfix/server.pem
smtp_tls_cert_file = /etc/postfix/certificate.pem
#                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ smtp(8) does not look at it
",
    good: "
smtp_tls_chain_files =
smtp_tls_cert_file = /etc/postfix/server.pem
lmtp_tls_chain_files = /etc/postfix/server.pem
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    each_client(context, &mut |seen| {
        let client = &seen.client;
        let Some(chains) = client.own("tls_chain_files").filter(|it| !it.is_empty()) else { return };
        for name in ["tls_cert_file", "tls_eccert_file", "tls_dcert_file"] {
            let given = client.own(name).filter(|it| !it.is_empty());
            if let Some(set) = given.and_then(|it| it.set) {
                let text = format!("{}(8) does not look at it", client.program);
                related(findings.at(set, text), &chains, "this is used in its place");
            }
        }
    });
}
