//! Port 465 that waits for STARTTLS.

use crate::config::Port;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "submissions-without-wrappermode",
    severity: Severity::Warning,
    summary: "port 465 does not begin with TLS",
    doc: "
Clients of port 465 (submissions, smtps) begin with TLS; there is no STARTTLS.
smtpd(8) without `-o smtpd_tls_wrappermode=yes` sends its greeting in clear text
instead: the client takes that for a broken TLS, and the user cannot send mail.

A service that only this host reaches is not found, nor is one behind a proxy
that may speak TLS for it.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> master.cf <==
#vvvv clients begin with TLS here, and smtpd(8) does not
smtps inet n - n - - smtpd
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_tls_security_level=encrypt
==> main.cf <==
",
    good: "
==> main.cf <==
smtpd_tls_cert_file = /etc/postfix/certificate.pem
smtpd_tls_key_file = /etc/postfix/key.pem
==> master.cf <==
smtps inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
  -o smtpd_sasl_auth_enable=yes
127.0.0.1:465 inet n - n - - smtpd
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let found = super::places(context, |it| {
        let clear = !it.is_on("smtpd_tls_wrappermode") && !it.is_local() && !it.is_behind_proxy();
        let service = it.service_span()?;
        (clear && it.port() == Some(Port::Submissions)).then_some((service, ()))
    });
    for (span, ()) in found {
        findings
            .at(span, "clients begin with TLS here, and smtpd(8) does not")
            .help("-o smtpd_tls_wrappermode=yes");
    }
}
