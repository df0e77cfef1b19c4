//! Client certificates that nobody can be made to show.

use crate::config::ServerTls;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "smtpd-client-certificate-optional",
    severity: Severity::Error,
    summary: "client certificates are required where TLS is not",
    doc: "
smtpd(8) ignores smtpd_tls_req_ccert = yes unless TLS is mandatory, since a
client without TLS has no certificate to show; it warns of it each time it
starts. So every client is let in.

Make TLS mandatory (smtpd_tls_security_level = encrypt) in the service that is to
require certificates, or ask for them only, smtpd_tls_ask_ccert = yes, and let
restrictions decide.
",
    postfix_says: "Can't require client certs unless TLS is required",
    fix: FixKind::Never,
    bad: "
smtpd_tls_security_level = may
smtpd_tls_req_ccert = yes
#                     ^^^ ignored, since TLS is not mandatory
",
    good: "
==> main.cf <==
smtpd_tls_chain_files = /etc/postfix/server.pem
smtpd_tls_security_level = may
==> master.cf <==
smtp inet n - n - - smtpd
2525 inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
  -o smtpd_tls_req_ccert=yes
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let found = super::places(context, |it| {
        let ignored = it.tls == ServerTls::Opportunistic && it.is_on("smtpd_tls_req_ccert");
        Some((it.set("smtpd_tls_req_ccert").filter(|_| ignored)?, it.set(it.decided_by)))
    });
    for (span, level) in found {
        let finding = findings.at(span, "ignored, since TLS is not mandatory");
        if let Some(level) = level {
            finding.related(level, "clients may do without TLS");
        }
    }
}
