//! The server's level.

use super::Set;
use crate::config::Origin;
use crate::finding::{Safety, Severity};
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

The same holds for postscreen(8) and tlsproxy(8) and their parameters. A service
with smtpd_tls_wrappermode = yes does not read its level.
",
    postfix_says: "unsupported TLS level \"secure\", using \"encrypt\"",
    fix: FixKind::Sometimes,
    bad: "
smtpd_tls_security_level = secure
#                          ^^^^^^ Postfix uses \"encrypt\" instead of \"secure\"
",
    good: "
smtpd_tls_security_level = MAY
postscreen_tls_security_level = encrypt
smtpd_tls_chain_files = /etc/postfix/server.pem
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    const SERVERS: [(&str, &str); 3] =
        [("smtpd", "smtpd_tls"), ("postscreen", "postscreen_tls"), ("tlsproxy", "tlsproxy_tls")];
    for (program, prefix) in SERVERS {
        let name = format!("{prefix}_security_level");
        for level in levels(context, program, &name) {
            let mut fix = context.rewrite_as_one_of(level.span, &level.text, &["none", "may", "encrypt"]);
            let text = match SecurityLevel::parse(&level.text) {
                Some(SecurityLevel::None | SecurityLevel::May | SecurityLevel::Encrypt) => continue,
                Some(SecurityLevel::Fingerprint | SecurityLevel::Verify | SecurityLevel::Secure) => {
                    fix = context.rewrite(level.span, &level.text, "encrypt", Safety::Safe);
                    format!("Postfix uses \"encrypt\" instead of \"{}\"", level.shown())
                }
                Some(SecurityLevel::Dane | SecurityLevel::DaneOnly) | None => format!("{program}(8) exits on \"{}\"", level.shown()),
            };
            findings.at(level.span, text).help("one of none, may, encrypt").fix = fix;
        }
    }
}

/// The levels that a program reads, in front of a comment that stands behind one: the comment is
/// a finding of its own. smtpd(8) reads none where sessions begin with TLS.
fn levels(context: &Context<'_>, program: &str, name: &str) -> Vec<Set> {
    let mut all: Vec<Set> = Vec::new();
    for view in context.views() {
        let runs = view.scopes.iter().any(|it| it.program() == program.as_bytes());
        for within in view.within(&[program]) {
            let wraps = || matches!(view.value("smtpd_tls_wrappermode", within).0, Ok(it) if it.eq_ignore_ascii_case(b"yes"));
            let read = (runs || view.scopes.is_empty()) && !(program == "smtpd" && wraps());
            let (Ok(mut text), Origin::Set(span)) = view.value(name, within) else { continue };
            if let Some(comment) = text.windows(2).position(|it| it == b" #") {
                text.truncate(comment);
            }
            let text = text.trim_ascii().to_vec();
            if read && !text.is_empty() && !all.iter().any(|it| it.span == span) {
                all.push(Set { span, text });
            }
        }
    }
    all
}
