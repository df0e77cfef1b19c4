//! Excluded ciphers with an operator of OpenSSL.

use crate::config::ServerTls;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::refused_exclusion;

pub(super) static RULE: Rule = Rule {
    id: "smtpd-cipher-exclusion-invalid",
    severity: Severity::Error,
    summary: "an excluded cipher begins with an operator",
    doc: "
The words of smtpd_tls_exclude_ciphers and smtpd_tls_mandatory_exclude_ciphers
are names of ciphers, and Postfix puts the `!` before them. With a word that
begins with `!`, `+`, `-` or `@` each STARTTLS fails: nobody can use TLS, and
clients that want it deliver in clear text or not at all.
",
    postfix_says: "invalid unary '!+-@' in cipher exclusion: !RC4",
    fix: FixKind::Never,
    bad: "
smtpd_tls_security_level = may
smtpd_tls_exclude_ciphers = aNULL, !RC4
#                           ^^^^^^^^^^^ \"!RC4\" begins with an operator: STARTTLS fails
",
    good: "
smtpd_tls_security_level = may
smtpd_tls_exclude_ciphers = aNULL, RC4, kDHE+AES
smtpd_tls_chain_files = /etc/postfix/server.pem
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let lists = super::read(context, |tls| match tls {
        ServerTls::Off => &[],
        ServerTls::Opportunistic => &["smtpd_tls_exclude_ciphers"],
        ServerTls::Mandatory => {
            &["smtpd_tls_exclude_ciphers", "smtpd_tls_mandatory_exclude_ciphers"]
        }
    });
    for (set, _) in lists {
        if let Some(word) = refused_exclusion(&set.text) {
            let word = set.shown_part(word);
            findings
                .at(set.span, format!("\"{word}\" begins with an operator: STARTTLS fails"))
                .help("name the cipher alone");
        }
    }
}
