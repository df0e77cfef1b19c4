//! DANE with MX lookup errors ignored.

use super::dane::{self, Reason};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "dane-with-ignored-mx-errors",
    severity: Severity::Error,
    summary: "a client wants DANE, and takes a failed MX lookup for none",
    doc: "
With `ignore_mx_lookup_error = yes` smtp(8) delivers to the domain's own address
where the MX lookup fails, and DNSSEC validation is one of the things that can
fail. So it does not do DANE: with a warning for each destination, the level
dane acts as may; at level dane-only all mail waits.
",
    postfix_says: "dane configured with MX lookup errors ignored",
    fix: FixKind::Never,
    bad: "
smtp_tls_security_level = dane
smtp_dns_support_level = dnssec
smtp_host_lookup = dns, native
relayhost = [127.0.0.2]
ignore_mx_lookup_error = yes
#                        ^^^ level dane acts as may with ignored MX lookup errors
",
    good: "
smtp_tls_security_level = may
ignore_mx_lookup_error = yes
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    dane::check(context, findings, &|client| {
        let given = client.common("ignore_mx_lookup_error")?;
        // lmtp(8) asks for no MX records.
        let is_ignored = client.program == "smtp" && given.is_yes();
        let help = "set ignore_mx_lookup_error = no".to_owned();
        is_ignored.then_some(Reason { given, why: "with ignored MX lookup errors", help })
    });
}
