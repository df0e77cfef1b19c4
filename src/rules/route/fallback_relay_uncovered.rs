//! A way around mandatory policies.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::row;
use crate::postfix::SecurityLevel;
use crate::syntax::table::Kind;
use crate::text::Span;

pub(super) static RULE: Rule = Rule {
    id: "fallback-relay-uncovered",
    severity: Severity::Warning,
    summary: "the fallback relay has a weaker policy than destinations that may fall back to it",
    doc: "
Mail that cannot be delivered goes to smtp_fallback_relay, also mail whose server
does not meet a mandatory policy. The fallback relay is looked up in the TLS policy
table under its own name, and without a row there the default level holds: mail for
a destination at level secure may leave the host in clear text.

Give the fallback relay a row of its own, under the name as it is written.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_fallback_relay = [fallback.example]
#                     ^^^^^^^^^^^^^^^^^^ the level for \"[fallback.example]\" is may
smtp_tls_security_level = may
smtp_tls_CAfile = /etc/postfix/ca.pem
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> tls_policy <==
bank.example secure
",
    good: "
==> main.cf <==
smtp_fallback_relay = [fallback.example]
smtp_tls_security_level = may
smtp_tls_CAfile = /etc/postfix/ca.pem
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> tls_policy <==
bank.example secure
[fallback.example] encrypt
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (effective, routes) in context.routes() {
        let fallback = |name: &str| matches!(name, "smtp_fallback_relay" | "lmtp_fallback_relay");
        for route in routes.routes.iter().filter(|it| fallback(it.hop.parameter)) {
            let Some((SecurityLevel::None | SecurityLevel::May, _)) = route.level() else {
                continue;
            };
            let is_local =
                crate::config::Destination::parse(&route.hop.text).is_ok_and(|it| it.is_loopback());
            let client = route.hop.client;
            let maps = client.parameter("tls_policy_maps");
            let asks =
                effective.value(&maps, client.within(&effective)).0.is_ok_and(|it| !it.is_empty());
            let Some(mandatory) = first_mandatory(context, client.program).filter(|_| asks) else {
                continue;
            };
            if !is_local && let Some((level, _)) = route.level() {
                let destination = super::destination(route);
                findings
                    .at(route.hop.span, format!("the level for \"{destination}\" is {level}"))
                    .related(mandatory, "mail with this policy may go there")
                    .help(format!("a row in the TLS policy table: \"{destination} encrypt\""));
            }
        }
    }
}

/// The first row with a mandatory level.
fn first_mandatory(context: &Context<'_>, client: &str) -> Option<Span> {
    context
        .tables
        .iter()
        .filter(|it| it.clients.iter().any(|it| it.client.name == client))
        .find_map(|table| {
            let bytes = context.sources.source(table.source).bytes();
            let entries = table.table.rows.iter().filter(|it| it.kind == Kind::Entry);
            let mandatory =
                entries.filter(|it| match row::parse(&it.value(bytes)).security_level() {
                    Some(
                        SecurityLevel::Encrypt
                        | SecurityLevel::DaneOnly
                        | SecurityLevel::Fingerprint
                        | SecurityLevel::Verify
                        | SecurityLevel::Secure,
                    ) => true,
                    Some(SecurityLevel::None | SecurityLevel::May | SecurityLevel::Dane) | None => {
                        false
                    }
                });
            mandatory.map(|it| Span::new(table.source, it.key_range(bytes))).next()
        })
}
