//! Keys that others can read.

use crate::certificate::pem;
use crate::finding::Severity;
use crate::lint::seen::Account;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "key-permissions",
    severity: Severity::Warning,
    summary: "everybody on this host can read a private key",
    doc: "
Whoever has the private key can be this server for others. Postfix opens it as
root, before it gives its rights away, so nobody else has to read it.

The mode of the file counts, and whether everybody can enter the directories above
it. A group that may read it, such as Debian's ssl-cert, is left alone.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_chain_files = /etc/postfix/server.pem\n\
         #                       ^^^^^^^^^^^^^^^^^^^^^^^ its private key is readable for everybody\n\
         ==> host <==\n\
         /etc/postfix/server.pem has mode 644\n\
         ==> server.pem <==\n",
        include_str!("examples/key.pem"),
        include_str!("examples/server.pem"),
        include_str!("examples/issuer.pem"),
    ),
    good: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_chain_files = /etc/postfix/key.pem, /etc/postfix/server.pem\n\
         ==> host <==\n\
         /etc/postfix/key.pem has mode 640\n\
         /etc/postfix/server.pem has mode 644\n\
         ==> key.pem <==\n",
        include_str!("examples/key.pem"),
        "==> server.pem <==\n",
        include_str!("examples/server.pem"),
        include_str!("examples/issuer.pem"),
    ),
    check,
};

/// A user who is nobody in particular.
const ANYBODY: Account = Account { user: u32::MAX - 1, group: u32::MAX - 1 };

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(seen) = &context.seen else { return };
    for loaded in context.loaded() {
        for (file, bytes) in loaded.named.files.iter().zip(&loaded.bytes) {
            let has_key = pem::read(bytes).any(|it| {
                it.is_ok_and(|it| it.label.ends_with(b"PRIVATE KEY") && !it.is_encrypted())
            });
            if has_key && seen.may_read(ANYBODY, &file.path).there().is_some() {
                let text = "its private key is readable for everybody";
                let help = format!("chmod 600 {}", String::from_utf8_lossy(&file.path));
                findings.at(file.span, text).help(help);
            }
        }
    }
}
