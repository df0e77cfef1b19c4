//! TLSv1.3 that nobody meant to shut out.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "smtpd-newest-protocol-missing",
    severity: Severity::Warning,
    summary: "TLSv1.3 is off, since the list names others",
    doc: "
A list that names protocols without `!` turns off all others: also TLSv1.3, which
was not there when many such lists were written, and whatever comes next. One
name among exclusions is enough, as in `!SSLv2, !SSLv3, TLSv1`.

Name what is too old instead. Who wants TLSv1.3 off says so, `!TLSv1.3` or
`<=TLSv1.2`, and is not found here.
",
    postfix_says: "",
    fix: FixKind::Sometimes,
    bad: "
smtpd_tls_security_level = may
smtpd_tls_protocols = TLSv1.2, TLSv1.1
#                     ^^^^^^^^^^^^^^^^ only TLSv1.1 and TLSv1.2 are on
",
    good: "
smtpd_tls_security_level = may
smtpd_tls_protocols = TLSv1.2, !TLSv1.3
smtpd_tls_chain_files = /etc/postfix/server.pem
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (set, protocols) in super::valid_protocol_lists(context) {
        let on: Vec<&str> = protocols.enabled().map(crate::postfix::Protocol::name).collect();
        // What a bound with nothing behind it does is a finding of its own.
        if protocols.forgets_newest() && protocols.empty_bound().is_none() && !on.is_empty() {
            let is = if on.len() == 1 { "is" } else { "are" };
            let text = format!("only {} {is} on", on.join(" and "));
            let modern = super::modern_list(context);
            let finding = findings.at(set.span, text).help(modern);
            finding.fix = context.rewrite_protocols(set.span, &set.text, modern);
        }
    }
}
