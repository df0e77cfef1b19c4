//! Exclusions that leave no cipher.

use crate::config::{Server, ServerTls};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::excluded_ciphers;

pub(super) static RULE: Rule = Rule {
    id: "smtpd-ciphers-empty",
    severity: Severity::Error,
    summary: "all ciphers of the server are excluded",
    doc: "
smtpd_tls_exclude_ciphers holds at all levels, smtpd_tls_mandatory_exclude_ciphers
as well where TLS is mandatory. Where they leave no cipher of the grade each
STARTTLS fails, even with TLSv1.3, whose ciphers they do not touch: nobody can
use TLS, and clients that want it deliver in clear text or not at all.

Found are ALL, and HIGH. Where the grade is medium a few ciphers are left beside
HIGH in some versions of OpenSSL, and none in others: this is a warning.
",
    postfix_says: "error setting cipher grade",
    fix: FixKind::Never,
    bad: "
smtpd_tls_security_level = may
smtpd_tls_exclude_ciphers = aNULL, ALL
#                           ^^^^^^^^^^ ALL leaves no cipher: STARTTLS fails
",
    good: "
smtpd_tls_security_level = may
smtpd_tls_chain_files = /etc/postfix/server.pem
smtpd_tls_ciphers = high
smtpd_tls_exclude_ciphers = MEDIUM, aNULL
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for name in ["smtpd_tls_exclude_ciphers", "smtpd_tls_mandatory_exclude_ciphers"] {
        let found = super::places(context, |it| {
            let (severity, text) = verdict(it, &it.value(name))?;
            let counts = match it.tls {
                ServerTls::Off => false,
                ServerTls::Opportunistic => name == "smtpd_tls_exclude_ciphers",
                ServerTls::Mandatory => true,
            };
            Some((it.set(name).filter(|_| counts)?, (severity, text)))
        });
        for (span, (severity, text)) in found {
            findings.milder(severity, span, text);
        }
    }
}

fn verdict(server: &Server<'_>, list: &[u8]) -> Option<(Severity, &'static str)> {
    let grade = match server.tls {
        ServerTls::Off | ServerTls::Opportunistic => "smtpd_tls_ciphers",
        ServerTls::Mandatory => "smtpd_tls_mandatory_ciphers",
    };
    // A list that somebody changed may have other ciphers than those that it is named after.
    let is_high = server.value(grade).eq_ignore_ascii_case(b"high");
    let list_of_grade = if is_high { "tls_high_cipherlist" } else { "tls_medium_cipherlist" };
    let changed = server.set(list_of_grade).is_some();
    excluded_ciphers(list).find_map(|word| match word {
        b"ALL" => Some((Severity::Error, "ALL leaves no cipher: STARTTLS fails")),
        b"HIGH" if is_high && !changed => {
            Some((Severity::Error, "HIGH leaves no cipher: STARTTLS fails"))
        }
        b"HIGH" if !changed => Some((Severity::Warning, "HIGH leaves weak ciphers, or none")),
        _ => None,
    })
}
