//! Logins that wait for a TLS that is off.

use crate::config::{Server, ServerTls};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "auth-never-offered",
    severity: Severity::Warning,
    summary: "logins want TLS, and TLS is off",
    doc: "
With smtpd_tls_auth_only = yes, smtpd(8) offers AUTH, and takes it, only after
STARTTLS. Where TLS is off nobody gets that far: smtpd_sasl_auth_enable = yes has
no effect there, and users are told that their server does not support logins.

Where another service offers AUTH, as submission should, main.cf's settings for
the others are not found here.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
smtpd_sasl_auth_enable = yes
smtpd_tls_auth_only = yes
#                     ^^^ AUTH waits for TLS, which is off
",
    good: "
==> main.cf <==
smtpd_sasl_auth_enable = yes
smtpd_tls_auth_only = yes
smtpd_tls_cert_file = /etc/postfix/certificate.pem
smtpd_tls_key_file = /etc/postfix/key.pem
==> master.cf <==
smtp inet n - n - - smtpd
submission inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let offers = |it: &Server<'_>| it.is_on("smtpd_sasl_auth_enable") && !waits(it);
    let mut seen = Vec::new();
    for view in context.views() {
        let servers = view.servers();
        if servers.iter().any(offers) {
            continue;
        }
        for server in servers.iter().filter(|it| waits(it)) {
            let place = server.set("smtpd_tls_auth_only").zip(server.set("smtpd_sasl_auth_enable"));
            let Some((span, auth)) = place.filter(|(span, _)| !seen.contains(span)) else { continue };
            seen.push(span);
            findings
                .at(span, "AUTH waits for TLS, which is off")
                .related(auth, "nobody can log in")
                .help("set smtpd_tls_security_level where users log in");
        }
    }
}

fn waits(server: &Server<'_>) -> bool {
    server.tls == ServerTls::Off
        && server.is_on("smtpd_sasl_auth_enable")
        && server.is_on("smtpd_tls_auth_only")
}
