//! Mail in clear text.

use super::{Seen, each_client};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::{self, SecurityLevel};
use crate::text::Span;

pub(super) static RULE: Rule = Rule {
    id: "smtp-tls-disabled",
    severity: Severity::Warning,
    summary: "the client does not use TLS",
    doc: "
At level none, and below Postfix 3.11 where nobody sets a level, smtp(8) sends all
mail in clear text, also to servers that offer TLS. `may` uses TLS where it is
offered, and needs no certificate and no list of authorities.

Not found where relayhost is on this host, and where a table may ask for TLS. Where
no level is set, the finding is at the first of the other TLS settings, which
have no effect.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
smtp_tls_security_level = none
#                         ^^^^ all mail goes out in clear text
",
    good: "
smtp_tls_security_level = none
relayhost = [127.0.0.1]:10025
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    each_client(context, &mut |seen| {
        let client = &seen.client;
        let is_off = seen.is_at(|level| level == SecurityLevel::None) && !seen.has_policies();
        if !client.is_default_transport() || !is_off || !is_for_others(seen) {
            return;
        }
        let set = client.level().and_then(|it| it.given.set);
        let (span, text) = match (set, first_setting(context)) {
            (Some(set), _) => (set, "all mail goes out in clear text"),
            (None, Some(first)) => {
                (first, "no effect without a level: all mail goes out in clear text")
            }
            (None, None) => return,
        };
        findings.at(span, text).help("set smtp_tls_security_level = may");
    });
}

/// Whether the client talks to other hosts, as far as main.cf decides.
fn is_for_others(seen: &Seen<'_>) -> bool {
    let usual = seen.client.common("default_transport").is_some_and(|it| it.set.is_none());
    let relay = seen.client.common("relayhost");
    let is_here = relay.is_some_and(|it| {
        let host = it.value.strip_prefix(b"[").unwrap_or(&it.value);
        let here: [&[u8]; 4] = [b"127.", b"localhost", b"::1", b"ipv6:::1"];
        here.iter().any(|it| host.get(..it.len()).is_some_and(|host| host.eq_ignore_ascii_case(it)))
    });
    usual && !is_here
}

/// The first TLS setting of smtp(8) in main.cf.
fn first_setting(context: &Context<'_>) -> Option<Span> {
    let settings = context.configuration.as_ref()?.effective_settings();
    let of_tls = settings.filter(|it| {
        let name = str::from_utf8(it.name()).unwrap_or_default();
        name.starts_with("smtp_tls_") && postfix::parameter(name).is_some()
    });
    of_tls.map(|it| it.name_span()).min()
}
