//! TLS from the first byte where clients expect a greeting.

use crate::config::Port;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "wrappermode-on-starttls-port",
    severity: Severity::Warning,
    summary: "port 25 or 587 begins with TLS",
    doc: "
With smtpd_tls_wrappermode = yes, smtpd(8) says nothing until the client has
begun TLS. Clients of port 25 and of port 587 wait for a greeting first: both
wait, until one of them gives up. On port 25 no mail arrives at all.

The setting belongs to the service of port 465 in master.cf, `-o
smtpd_tls_wrappermode=yes`, and never to main.cf.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtpd_tls_wrappermode = yes
#                       ^^^ clients of port 25 wait for a greeting that does not come
smtpd_tls_cert_file = /etc/postfix/certificate.pem
smtpd_tls_key_file = /etc/postfix/key.pem
==> master.cf <==
smtp inet n - n - - smtpd
",
    good: "
==> main.cf <==
smtpd_tls_wrappermode = no
smtpd_tls_cert_file = /etc/postfix/certificate.pem
smtpd_tls_key_file = /etc/postfix/key.pem
==> master.cf <==
smtp inet n - n - - smtpd
submissions inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let found = super::places(context, |it| {
        let number = match it.port()? {
            Port::Smtp => 25,
            Port::Submission => 587,
            Port::Submissions | Port::Other => return None,
        };
        let wrapped = it.is_on("smtpd_tls_wrappermode") && !it.is_behind_proxy();
        Some((it.set("smtpd_tls_wrappermode").filter(|_| wrapped)?, (number, it.service_span()?)))
    });
    for (span, (number, service)) in found {
        let text = format!("clients of port {number} wait for a greeting that does not come");
        findings.at(span, text).related(service, "it holds here").help("only port 465 begins with TLS");
    }
}
