//! DANE for hosts that are not looked up in DNS.

use super::dane::{self, Reason};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "dane-with-native-lookup",
    severity: Severity::Error,
    summary: "a client wants DANE, and does not look up hosts in DNS",
    doc: "
With `smtp_host_lookup = native` alone smtp(8) takes addresses from the hosts
file and whatever else the system has, which no DNSSEC protects. With a warning
for each destination, the level dane acts as may; at level dane-only all mail
waits.
",
    postfix_says: "dane configured with dnssec lookups disabled",
    fix: FixKind::Never,
    bad: "
relayhost = [192.0.2.1]
smtp_tls_security_level = dane
smtp_dns_support_level = dnssec
smtp_host_lookup = native
#                  ^^^^^^ level dane acts as may without lookups in DNS
",
    good: "
smtp_tls_security_level = may
smtp_host_lookup = native
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    dane::check(context, findings, &|client| {
        let given = client.own("host_lookup")?;
        let with_dnssec = client.own("dns_support_level")?.value.eq_ignore_ascii_case(b"dnssec");
        let has_dns = dane::has_word(&given, "dns");
        let help = format!("set {} = dns, native", given.name);
        let reason = Reason { given, why: "without lookups in DNS", help };
        (with_dnssec && !has_dns).then_some(reason)
    });
}
