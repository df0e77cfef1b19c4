//! Policies for next hops that nothing names.

use std::collections::HashSet;

use crate::config::{Destination, Lookup};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Routes, Rule, host_of};
use crate::syntax::table::Kind;
use crate::text::Span;

pub(super) static RULE: Rule = Rule {
    id: "policy-key-unreachable",
    severity: Severity::Advice,
    summary: "nothing in the files sends mail to the next hop of this policy",
    doc: "
The domain of a recipient has neither brackets nor a port, so a key that has them is
asked for only where the configuration names the next hop: in relayhost, in a transport
table, as a fallback relay. None of them does here, and the row has no effect.

Where a table with next hops cannot be read, or where a table of checks could send mail
elsewhere with FILTER, nothing is said.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
relayhost = [relay.example]:587
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> master.cf <==
smtp unix - - n - - smtp
==> tls_policy <==
[relay.example]:587 encrypt
[old-relay.example]:587 encrypt
#^^^^^^^^^^^^^^^^^^^^^^ no next hop is written so
",
    good: "
==> main.cf <==
relayhost = [relay.example]:587
header_checks = regexp:$config_directory/header_checks
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> master.cf <==
smtp unix - - n - - smtp
==> tls_policy <==
[relay.example]:587 encrypt
[old-relay.example]:587 encrypt
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    // A part of a configuration does not show all next hops.
    if context.services.is_none() || may_filter(context) {
        return;
    }
    let all: Vec<&Routes> = context.routes().map(|(_, routes)| routes).collect();
    if all.is_empty() || all.iter().any(|it| !it.hops.unread.is_empty()) {
        return;
    }
    let hops = || all.iter().flat_map(|it| &it.hops.named);
    let hosts: HashSet<Vec<u8>> = hops().filter_map(|it| host_of(&it.text)).collect();
    let paths: HashSet<&[u8]> = hops().map(|it| it.text.as_slice()).collect();
    for table in context.tables.iter().filter(|it| !it.clients.is_empty()) {
        let bytes = context.sources.source(table.source).bytes();
        for row in table.table.rows.iter().filter(|it| it.kind == Kind::Entry) {
            let range = row.key_range(bytes);
            let key = &bytes[range.clone()];
            if !key.contains(&b'[') && !key.contains(&b':') {
                continue;
            }
            let Ok(destination) = Destination::parse(key) else { continue };
            let is_domain =
                destination.lookup == Lookup::Exchangers && destination.service.is_none();
            // Of the same host in another form, another rule speaks.
            let host = host_of(key).unwrap_or_default();
            let is_known = hosts.contains(&host) || paths.contains(key);
            if !is_domain && !is_known {
                findings.at(Span::new(table.source, range), "no next hop is written so");
            }
        }
    }
}

/// Whether a table may send mail elsewhere: FILTER in access tables and in checks of messages.
fn may_filter(context: &Context<'_>) -> bool {
    let checks = [
        "header_checks",
        "body_checks",
        "nested_header_checks",
        "mime_header_checks",
        "milter_header_checks",
    ];
    context.table_uses().iter().any(|it| {
        let is_check = checks.iter().any(|check| it.parameter.ends_with(check));
        is_check || it.list == crate::postfix::TableList::Restrictions
    })
}
