//! TLS without a certificate.

use crate::config::{Server, ServerTls};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "smtpd-certificate-missing",
    severity: Severity::Error,
    summary: "the server offers TLS and has no certificate",
    doc: "
smtpd(8) still offers STARTTLS, and answers it with \"TLS not available due to
local problem\". Clients for which TLS is mandatory do not deliver; others do so
in clear text. Where it is mandatory for the server nobody can deliver at all,
and a service that begins with TLS drops each connection.

Set smtpd_tls_chain_files, or smtpd_tls_cert_file and smtpd_tls_key_file. Without
a certificate only `smtpd_tls_cert_file = none` works, with anonymous ciphers,
which few clients take; and not together with smtpd_tls_ask_ccert.
",
    postfix_says: "No server certs available. TLS won't be enabled",
    fix: FixKind::Never,
    bad: "
smtpd_tls_security_level = may
#                          ^^^ smtpd(8) has no certificate, and does without TLS
smtpd_tls_chain_files =
",
    good: "
smtpd_tls_security_level = may
smtpd_tls_chain_files = /etc/postfix/server.pem
smtpd_tls_cert_file = none
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (span, asked) in super::places(context, place) {
        let finding = findings.at(span, "smtpd(8) has no certificate, and does without TLS");
        finding.help("set smtpd_tls_chain_files, or smtpd_tls_cert_file and smtpd_tls_key_file");
        if let Some(asked) = asked {
            finding.related(asked, "who asks for a certificate must have one");
        }
    }
}

/// What makes the server offer TLS, and what asks clients for their certificates.
fn place(server: &Server<'_>) -> Option<(crate::text::Span, Option<crate::text::Span>)> {
    let certificate = server.value("smtpd_tls_cert_file");
    let anonymous = certificate.eq_ignore_ascii_case(b"none");
    let others = ["chain_files", "eccert_file", "dcert_file"];
    let any_other = others.iter().any(|it| !server.value(&format!("smtpd_tls_{it}")).is_empty());
    let (asks, requires) = ("smtpd_tls_ask_ccert", "smtpd_tls_req_ccert");
    let wanted = match server.tls {
        ServerTls::Off => return None,
        ServerTls::Opportunistic => server.is_on(asks).then_some(asks),
        ServerTls::Mandatory => [asks, requires].into_iter().find(|it| server.is_on(it)),
    };
    let works = any_other || if anonymous { wanted.is_none() } else { !certificate.is_empty() };
    let asked = wanted.filter(|_| anonymous).and_then(|it| server.set(it));
    Some((server.set(server.decided_by).filter(|_| !works)?, asked))
}
