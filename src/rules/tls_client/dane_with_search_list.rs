//! DANE with names that the resolver completes.

use super::dane::{self, Reason};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "dane-with-search-list",
    severity: Severity::Error,
    summary: "a client wants DANE, and lets the resolver complete host names",
    doc: "
`smtp_dns_resolver_options` can make the resolver append domains to a name that
it does not find. TLSA records belong to complete names, so smtp(8) does not do
DANE then: with a warning for each destination, the level dane acts as may; at
level dane-only all mail waits.
",
    postfix_says: "dns resolver options incompatible with dane TLS",
    fix: FixKind::Never,
    bad: "
smtp_tls_security_level = dane
smtp_dns_support_level = dnssec
smtp_host_lookup = dns, native
relayhost = [127.0.0.2]
smtp_dns_resolver_options = res_defnames
#                           ^^^^^^^^^^^^ level dane acts as may with completed names
",
    good: "
smtp_tls_security_level = may
smtp_dns_resolver_options = res_dnsrch
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    dane::check(context, findings, &|client| {
        let given = client.own("dns_resolver_options")?;
        let completes = dane::has_word(&given, "res_defnames") || dane::has_word(&given, "res_dnsrch");
        let help = format!("set {} =", given.name);
        completes.then_some(Reason { given, why: "with completed names", help })
    });
}
