//! Mandatory TLS where other servers deliver.

use crate::config::{Port, Server, ServerTls};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::syntax::lists::{self, COMMA_SPACE_FLAT};

pub(super) static RULE: Rule = Rule {
    id: "smtpd-encrypt-on-port-25",
    severity: Severity::Warning,
    summary: "the server on port 25 refuses mail from servers without TLS",
    doc: "
smtpd(8) answers \"Must issue a STARTTLS command first\" to everything that a
client without TLS says. A server that takes mail from the Internet must not do
that (RFC 3207, section 4): mail from hosts without TLS comes back to its
senders. Level may is for port 25, and encrypt for the services where users
submit mail.

A server is not found that only a private network reaches, that refuses
strangers anyway (a restriction \"reject\"), or that wants client certificates.
If this one is only for hosts that you know, allow the rule.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtpd_tls_security_level = encrypt
#                          ^^^^^^^ servers without TLS cannot deliver to port 25
smtpd_tls_cert_file = /etc/postfix/certificate.pem
smtpd_tls_key_file = /etc/postfix/key.pem
==> master.cf <==
smtp inet n - n - - smtpd
",
    good: "
==> main.cf <==
smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = /etc/postfix/certificate.pem
smtpd_tls_key_file = /etc/postfix/key.pem
==> master.cf <==
smtp inet n - n - - smtpd -o smtpd_tls_security_level=may
10.0.0.1:25 inet n - n - - smtpd
submission inet n - n - - smtpd
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let found = super::places(context, |it| {
        let mandatory = it.tls == ServerTls::Mandatory && !it.is_on("smtpd_tls_wrappermode");
        let public = it.port() == Some(Port::Smtp) && !it.is_private() && !it.is_behind_proxy();
        let level = it.set(it.decided_by).filter(|_| mandatory && public && !is_closed(it))?;
        Some((level, it.service_span()?))
    });
    for (span, service) in found {
        findings
            .at(span, "servers without TLS cannot deliver to port 25")
            .related(service, "it holds here")
            .help("level may here, and encrypt for the services where users submit mail");
    }
}

/// Whether strangers are refused in any case.
fn is_closed(server: &Server<'_>) -> bool {
    const STAGES: [&str; 5] = ["client", "helo", "sender", "relay", "recipient"];
    server.is_on("smtpd_tls_req_ccert")
        || STAGES.iter().any(|stage| {
            let restrictions = server.value(&format!("smtpd_{stage}_restrictions"));
            let mut words = lists::words(&restrictions, COMMA_SPACE_FLAT);
            words.any(|it| restrictions[it].eq_ignore_ascii_case(b"reject"))
        })
}
