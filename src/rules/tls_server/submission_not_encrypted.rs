//! Port 587 without mandatory TLS.

use crate::config::{Port, ServerTls};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "submission-not-encrypted",
    severity: Severity::Warning,
    summary: "users can submit mail without TLS",
    doc: "
The submission service, port 587, is for users with a password. Unlike port 25
nobody has to be served there who has no TLS, so TLS can and should be mandatory
(RFC 8314): `-o smtpd_tls_security_level=encrypt` in master.cf, as the file that
Postfix comes with has it. Without it a password can go out in clear text, and
does as soon as somebody on the way removes STARTTLS from the server's answer.

Where smtpd_tls_auth_only = yes keeps at least the logins inside TLS, this is
only advice. A service without logins, or that only this host reaches, is not
found, nor is one behind a proxy that may speak TLS for it.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtpd_tls_security_level = may
smtpd_tls_cert_file = /etc/postfix/certificate.pem
smtpd_tls_key_file = /etc/postfix/key.pem
==> master.cf <==
smtp inet n - n - - smtpd
#vvvvvvvvv users can log in without TLS
submission inet n - n - - smtpd
  -o smtpd_sasl_auth_enable=yes
",
    good: "
==> main.cf <==
smtpd_tls_security_level = may
smtpd_tls_cert_file = /etc/postfix/certificate.pem
smtpd_tls_key_file = /etc/postfix/key.pem
==> master.cf <==
smtp inet n - n - - smtpd
submission inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
[::1]:587 inet n - n - - smtpd
  -o smtpd_sasl_auth_enable=yes
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let found = super::places(context, |it| {
        let optional = it.tls != ServerTls::Mandatory;
        let open = optional && !it.is_local() && !it.is_behind_proxy();
        if it.port() != Some(Port::Submission) || !open || !it.is_on("smtpd_sasl_auth_enable") {
            return None;
        }
        let in_clear = it.takes_logins_without_tls();
        if !in_clear && it.tls == ServerTls::Off {
            // There are no logins: auth-never-offered.
            return None;
        }
        let service = it.service_span()?;
        // What main.cf says is for port 25; what is to be changed stands in master.cf.
        let level = it.set(it.decided_by).filter(|level| level.source == service.source);
        Some((level.unwrap_or(service), in_clear))
    });
    for (span, in_clear) in found {
        let finding = if in_clear {
            findings.at(span, "users can log in without TLS")
        } else {
            findings.milder(Severity::Advice, span, "only logins need TLS here, not mail")
        };
        finding.help("-o smtpd_tls_security_level=encrypt");
    }
}
