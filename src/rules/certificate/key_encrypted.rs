//! Keys with a passphrase.

use crate::certificate::load::ProblemKind;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "key-encrypted",
    severity: Severity::Error,
    summary: "a private key is encrypted",
    doc: "
Postfix has nobody to ask for the passphrase: it cannot read the key, and switches
TLS off.

`openssl pkey -in KEY -out NEW` takes the encryption off. Mode 600 and a directory
that root alone may enter protect the key.
",
    postfix_says: "key not first",
    fix: FixKind::Never,
    bad: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_chain_files = /etc/postfix/server.pem\n\
         #                       ^^^^^^^^^^^^^^^^^^^^^^^ line 1: this private key is encrypted, and Postfix has no passphrase\n\
         ==> server.pem <==\n",
        include_str!("examples/encrypted_key.pem"),
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
    let help = "take the passphrase off: openssl pkey -in KEY -out NEW";
    super::report(context, findings, ProblemKind::KeyEncrypted, help);
}
