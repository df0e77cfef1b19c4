//! Two ways to name certificates.

use crate::config::ServerTls;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "smtpd-certificate-ignored",
    severity: Severity::Error,
    summary: "a certificate is ignored",
    doc: "
Where smtpd_tls_chain_files is set, smtpd(8) ignores smtpd_tls_cert_file,
smtpd_tls_eccert_file and smtpd_tls_dcert_file, with their keys, and warns of it
each time it starts. Whoever renews the certificate in the ignored file renews
nothing.

Keep one of the two ways. smtpd_tls_chain_files holds, for each certificate, the
key, then the certificate, then what leads to the authority.
",
    postfix_says: "parameters will be ignored",
    fix: FixKind::Never,
    bad: "
smtpd_tls_security_level = may
smtpd_tls_chain_files = /etc/postfix/server.pem
smtpd_tls_cert_file = /etc/postfix/certificate.pem
#                     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ smtpd_tls_chain_files is set, and this is ignored
smtpd_tls_key_file = /etc/postfix/key.pem
",
    good: "
smtpd_tls_security_level = may
smtpd_tls_chain_files = /etc/postfix/server.pem
smtpd_tls_cert_file =
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for kind in ["cert", "eccert", "dcert"] {
        let name = format!("smtpd_tls_{kind}_file");
        let found = super::places(context, |it| {
            let chain = it.set("smtpd_tls_chain_files")?;
            // "none" stands for no file.
            let value = it.value(&name);
            let no_file = kind == "cert" && value.eq_ignore_ascii_case(b"none");
            let no_file = no_file || value.is_empty();
            let both = !no_file && !it.value("smtpd_tls_chain_files").is_empty();
            Some((it.set(&name).filter(|_| both && it.tls != ServerTls::Off)?, chain))
        });
        for (span, chain) in found {
            findings
                .at(span, "smtpd_tls_chain_files is set, and this is ignored")
                .related(chain, "this counts")
                .help(format!("remove {name} and its key, or smtpd_tls_chain_files"));
        }
    }
}
