//! Old protocols where TLS is mandatory.

use crate::config::ServerTls;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::{Protocol, Protocols};

pub(super) static RULE: Rule = Rule {
    id: "smtpd-weak-protocol",
    severity: Severity::Warning,
    summary: "obsolete protocols are allowed where TLS is mandatory",
    doc: "
smtpd_tls_mandatory_protocols holds where TLS is mandatory: mostly where users
log in, whose programs have had TLSv1.2 for many years. TLSv1 and TLSv1.1 are
not to be used any more (RFC 8996), nor is SSLv3 (RFC 7568). OpenSSL's own
settings do not shut them out: Postfix overrides them.

Only a list that somebody set is found, not Postfix's default, which has TLSv1.
At level may, smtpd_tls_protocols holds, and there an old protocol is better than
the clear text that the client would send instead.
",
    postfix_says: "",
    fix: FixKind::Sometimes,
    bad: "
==> main.cf <==
smtpd_tls_mandatory_protocols = !SSLv2, !SSLv3
#                               ^^^^^^^^^^^^^^ TLSv1 and TLSv1.1 are on
smtpd_tls_cert_file = /etc/postfix/certificate.pem
smtpd_tls_key_file = /etc/postfix/key.pem
==> master.cf <==
submission inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
",
    good: "
smtpd_tls_security_level = may
smtpd_tls_protocols = !SSLv2, !SSLv3
smtpd_tls_mandatory_protocols = >=TLSv1
smtpd_tls_chain_files = /etc/postfix/server.pem
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let lists = super::read(context, |tls| match tls {
        ServerTls::Off | ServerTls::Opportunistic => &[],
        ServerTls::Mandatory => &["smtpd_tls_mandatory_protocols"],
    });
    for (set, _) in lists {
        let Ok(protocols) = Protocols::parse(&set.text, context.version()) else { continue };
        // OpenSSL is built without SSLv3.
        let weak = protocols.enabled().filter(|it| it.is_obsolete() && *it != Protocol::Ssl3);
        let names: Vec<&str> = weak.map(Protocol::name).collect();
        if let [_, ..] = names.as_slice() {
            let is = if names.len() == 1 { "is" } else { "are" };
            let modern = super::modern_list(context);
            let finding = findings.at(set.span, format!("{} {is} on", names.join(" and "))).help(modern);
            finding.fix = context.rewrite_protocols(set.span, &set.text, modern);
        }
    }
}
