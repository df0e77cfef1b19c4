//! Settings for a level that no server has.

use crate::config::{Effective, ServerTls, Within};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::SecurityLevel;

pub(super) static RULE: Rule = Rule {
    id: "smtpd-setting-of-other-level",
    severity: Severity::Warning,
    summary: "a setting is for a level that no server has",
    doc: "
smtpd(8) reads smtpd_tls_mandatory_protocols, smtpd_tls_mandatory_ciphers and
smtpd_tls_mandatory_exclude_ciphers where TLS is mandatory, and
smtpd_tls_protocols and smtpd_tls_ciphers at level may. A setting for the other
level has no effect, and what it should have changed has its default.

Found where main.cf and master.cf are both there, no service reads the setting,
and its counterpart, which the services do read, is not set.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtpd_tls_security_level = may
smtpd_tls_cert_file = /etc/postfix/certificate.pem
smtpd_tls_key_file = /etc/postfix/key.pem
smtpd_tls_mandatory_protocols = !SSLv3, !TLSv1
#                               ^^^^^^^^^^^^^^ no server has mandatory TLS: they read smtpd_tls_protocols
==> master.cf <==
smtp inet n - n - - smtpd
",
    good: "
==> main.cf <==
smtpd_tls_security_level = may
smtpd_tls_cert_file = /etc/postfix/certificate.pem
smtpd_tls_key_file = /etc/postfix/key.pem
smtpd_tls_mandatory_protocols = !SSLv3, !TLSv1, !TLSv1.1
smtpd_tls_mandatory_ciphers = high
smtpd_tls_ciphers = $smtpd_tls_mandatory_ciphers
==> master.cf <==
smtp inet n - n - - smtpd
submission inet n - n - - smtpd -o smtpd_tls_security_level=encrypt
",
    check,
};

/// Each setting, the level that reads it, and what is read at the other level.
const SETTINGS: [(&str, ServerTls, &str); 5] = [
    ("smtpd_tls_mandatory_protocols", ServerTls::Mandatory, "smtpd_tls_protocols"),
    ("smtpd_tls_mandatory_ciphers", ServerTls::Mandatory, "smtpd_tls_ciphers"),
    ("smtpd_tls_mandatory_exclude_ciphers", ServerTls::Mandatory, "smtpd_tls_exclude_ciphers"),
    ("smtpd_tls_protocols", ServerTls::Opportunistic, "smtpd_tls_mandatory_protocols"),
    ("smtpd_tls_ciphers", ServerTls::Opportunistic, "smtpd_tls_mandatory_ciphers"),
];

fn check(context: &Context<'_>, findings: &mut Findings) {
    if context.services.is_none() {
        return;
    }
    let mut seen = Vec::new();
    for view in context.views() {
        let proxy = postscreen_level(&view);
        for (name, level, other) in SETTINGS {
            let servers = view.servers();
            let read = servers.iter().any(|it| it.tls == level) || proxy == Some(level);
            let place = servers.iter().find_map(|it| {
                let ignored = it.tls != ServerTls::Off && it.set(other).is_none();
                it.set(name).filter(|_| ignored)
            });
            let Some(span) = place.filter(|it| !read && !seen.contains(it)) else { continue };
            if is_referred_to(context, name) {
                continue;
            }
            seen.push(span);
            let text = match level {
                ServerTls::Mandatory => "no server has mandatory TLS",
                ServerTls::Opportunistic | ServerTls::Off => "TLS is mandatory for all servers",
            };
            findings.at(span, format!("{text}: they read {other}"));
        }
    }
}

/// The same parameters hold behind postscreen(8), in tlsproxy(8).
fn postscreen_level(view: &Effective<'_>) -> Option<ServerTls> {
    let scope = view.scopes.iter().find(|it| it.program() == b"postscreen")?;
    let level = view.value("postscreen_tls_security_level", Within::Service(scope)).0.ok()?;
    match SecurityLevel::parse(&level) {
        Some(SecurityLevel::None) => None,
        Some(SecurityLevel::May) | None => Some(ServerTls::Opportunistic),
        Some(_) => Some(ServerTls::Mandatory),
    }
}

/// Whether another value is made of this one.
fn is_referred_to(context: &Context<'_>, name: &str) -> bool {
    let forms = ["$", "${", "$("].map(|it| format!("{it}{name}").into_bytes());
    let mut sources = context.postfix_files().into_iter();
    sources.any(|source| {
        let bytes = context.sources.source(source).bytes();
        forms.iter().any(|form| memchr::memmem::find(bytes, form).is_some())
    })
}
