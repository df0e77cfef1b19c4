//! Certificates before their first day.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::Date;

pub(super) static RULE: Rule = Rule {
    id: "certificate-not-yet-valid",
    severity: Severity::Warning,
    summary: "a certificate is not yet valid",
    doc: "
Postfix sends it. Clients that verify the certificate do not deliver until its
first day.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_chain_files = /etc/postfix/server.pem\n\
         #                       ^^^^^^^^^^^^^^^^^^^^^^^ the certificate is valid from 2027-01-01 on\n\
         ==> server.pem <==\n",
        include_str!("examples/key.pem"),
        include_str!("examples/later.pem"),
        include_str!("examples/issuer.pem"),
    ),
    good: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_chain_files = /etc/postfix/server.pem\n\
         ==> server.pem <==\n",
        include_str!("examples/key.pem"),
        include_str!("examples/server.pem"),
        include_str!("examples/issuer.pem"),
    ),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(now) = super::now(context) else { return };
    super::each_certificate(context, &mut |loaded, identity, certificate| {
        // Today has not ended yet.
        if certificate.not_before >= now + Date::SECONDS {
            let which = super::which(identity, certificate);
            let text = format!("{which} is valid from {} on", super::day(certificate.not_before));
            let help = "keep the one before it until then";
            findings.at(loaded.span_of(certificate), text).help(help);
        }
    });
}
