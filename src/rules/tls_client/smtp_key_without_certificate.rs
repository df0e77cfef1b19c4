//! A private key for nothing.

use super::each_client;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "smtp-key-without-certificate",
    severity: Severity::Warning,
    summary: "the client has a private key, and no certificate",
    doc: "
smtp(8) reads smtp_tls_key_file only where smtp_tls_cert_file is set, and so for the
other kinds of keys. With the key alone it shows no certificate, and says nothing;
a server that asks for one refuses the mail.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
smtp_tls_key_file = /etc/postfix/key.pem
#                   ^^^^^^^^^^^^^^^^^^^^ not read: smtp_tls_cert_file is not set
",
    good: "
smtp_tls_cert_file = /etc/postfix/certificate.pem
smtp_tls_key_file = /etc/postfix/key.pem
lmtp_tls_cert_file = /etc/postfix/server.pem
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    each_client(context, &mut |seen| {
        let client = &seen.client;
        for kind in ["", "ec", "d"] {
            let key = client.own(&format!("tls_{kind}key_file")).filter(|it| !it.is_empty());
            let certificate = client.own(&format!("tls_{kind}cert_file"));
            let (Some(key), Some(certificate)) = (key, certificate) else { continue };
            if let Some(set) = key.set.filter(|_| certificate.is_empty()) {
                findings.at(set, format!("not read: {} is not set", certificate.name));
            }
        }
    });
}
