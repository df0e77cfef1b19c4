//! The server's level.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::SecurityLevel;

pub(super) static RULE: Rule = Rule {
    id: "smtpd-tls-level-invalid",
    severity: Severity::Error,
    summary: "the server's TLS security level is none that a server has",
    doc: "
A server takes none, may and encrypt. smtpd(8) exits at its start on dane,
dane-only and on words that are no level. On fingerprint, verify and secure it
warns and acts as with encrypt, which refuses every client that does not use
TLS; on a public mail exchanger that is against RFC 3207.

The same holds for postscreen(8) and tlsproxy(8) and their parameters.
",
    postfix_says: "unsupported TLS level \"secure\", using \"encrypt\"",
    fix: FixKind::Never,
    bad: "
smtpd_tls_security_level = secure
#                          ^^^^^^ Postfix uses \"encrypt\" instead of \"secure\"
",
    good: "
smtpd_tls_security_level = MAY
postscreen_tls_security_level = encrypt
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    const SERVERS: [(&str, &str); 3] =
        [("smtpd", "smtpd_tls"), ("postscreen", "postscreen_tls"), ("tlsproxy", "tlsproxy_tls")];
    for (program, prefix) in SERVERS {
        for level in super::levels(context, &format!("{prefix}_security_level")) {
            let text = match SecurityLevel::parse(&level.value) {
                Some(SecurityLevel::None | SecurityLevel::May | SecurityLevel::Encrypt) => continue,
                Some(SecurityLevel::Fingerprint | SecurityLevel::Verify | SecurityLevel::Secure) => {
                    format!("Postfix uses \"encrypt\" instead of \"{}\"", level.shown())
                }
                Some(SecurityLevel::Dane | SecurityLevel::DaneOnly) | None => format!("{program}(8) exits on \"{}\"", level.shown()),
            };
            findings.at(level.span, text).help("one of none, may, encrypt");
        }
    }
}
