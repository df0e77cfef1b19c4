//! The name of a server that DNS may have forged.

use super::{each_client, words};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "secure-match-hostname",
    severity: Severity::Warning,
    summary: "level secure takes the name that DNS gives",
    doc: "
Level secure is to compare the certificate with the domain that the mail is for. The
strategy hostname compares with the name of the MX host, which comes from DNS
without protection: who forges the MX record shows a certificate for a name of
their own. That is level verify.

Not found where relayhost is in brackets, which asks for no MX records.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
smtp_tls_secure_cert_match = nexthop, hostname
#                            ^^^^^^^^^^^^^^^^^ hostname comes from unprotected DNS
",
    good: "
smtp_tls_secure_cert_match = nexthop, hostname.example
smtp_tls_verify_cert_match = hostname
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    each_client(context, &mut |seen| {
        let client = &seen.client;
        let Some(given) = client.own("tls_secure_cert_match") else { return };
        let asks_for_mx = client.program == "smtp"
            && client.common("relayhost").is_some_and(|it| !it.value.starts_with(b"["));
        let has_hostname = words(&given.value).any(|it| it.eq_ignore_ascii_case(b"hostname"));
        if let Some(set) = given.set.filter(|_| asks_for_mx && has_hostname) {
            findings.at(set, "hostname comes from unprotected DNS").help("nexthop, dot-nexthop");
        }
    });
}
