//! How the client looks up hosts.

use super::{each_client, shown};
use crate::config::TlsClient;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::syntax::lists::{self, COMMA_SPACE_FLAT};

pub(super) static RULE: Rule = Rule {
    id: "smtp-host-lookup-invalid",
    severity: Severity::Error,
    summary: "the client is to look up hosts in a way that Postfix does not have",
    doc: "
smtp(8) and lmtp(8) exit at their start when they do not know a word; all mail
that they should deliver waits in the queue. The words are dns and
native, in lower case. `postfix check` says nothing.
",
    postfix_says: "unknown smtp_host_lookup value \"DNS\"",
    fix: FixKind::Never,
    bad: "
smtp_dns_support_level = enabled
smtp_host_lookup = native, DNS
#                  ^^^^^^^^^^^ smtp(8) exits on \"DNS\"
",
    good: "
smtp_dns_support_level = disabled
smtp_host_lookup = none
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    each_client(context, &mut |seen| {
        let client = &seen.client;
        let Some(given) = client.own("host_lookup") else { return };
        // Without DNS nobody looks at it.
        let is_read = !is_without_dns(client);
        let mut words = lists::words(&given.value, COMMA_SPACE_FLAT).map(|it| &given.value[it]);
        let unknown = words.find(|it| !matches!(*it, b"dns" | b"native"));
        if let (Some(set), Some(word)) = (given.set.filter(|_| is_read), unknown) {
            let text = format!("{}(8) exits on \"{}\"", client.program, shown(word));
            findings.at(set, text).help("dns, native");
        }
    });
}

fn is_without_dns(client: &TlsClient<'_>) -> bool {
    let Some(level) = client.own("dns_support_level") else { return false };
    let disabled = || client.common("disable_dns_lookups").is_some_and(|it| it.is_yes());
    level.value.eq_ignore_ascii_case(b"disabled") || (level.is_empty() && disabled())
}
