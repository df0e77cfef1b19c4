//! DANE without DNSSEC.

use super::dane::{self, Reason};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "dane-without-dnssec",
    severity: Severity::Error,
    summary: "a client wants DANE, and does not ask DNS for signatures",
    doc: "
TLSA records count only where DNSSEC protects them, and smtp(8) asks for that
only with `smtp_dns_support_level = dnssec`. Without it, and with a warning for
each destination, the level dane acts as may: a server that does not offer TLS
gets the mail in clear text. At level dane-only all mail waits.

The resolver in resolv.conf must validate, and must be reached safely: best on
the same host.
",
    postfix_says: "dane configured with dnssec lookups disabled",
    fix: FixKind::Never,
    bad: "
relayhost = [192.0.2.1]
smtp_tls_security_level = dane
smtp_dns_support_level = enabled
#                        ^^^^^^^ level dane acts as may without dnssec
",
    good: "
smtp_tls_security_level = may
smtp_dns_support_level = disabled
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    dane::check(context, findings, &|client| {
        let given = client.own("dns_support_level")?;
        let is_on = given.value.eq_ignore_ascii_case(b"dnssec");
        let help = format!("set {} = dnssec", given.name);
        (!is_on).then_some(Reason { given, why: "without dnssec", help })
    });
}
