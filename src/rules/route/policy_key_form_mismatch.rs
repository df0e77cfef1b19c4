//! A policy for the right host under a key that nobody asks for.

use crate::finding::Severity;
use crate::lint::{Answer, Context, Findings, FixKind, Routes, Rule};

pub(super) static RULE: Rule = Rule {
    id: "policy-key-form-mismatch",
    severity: Severity::Error,
    summary: "the next hop is written otherwise than the policy's key",
    doc: "
smtp(8) looks a next-hop destination up exactly as it is configured: brackets
and port are parts of the key, and no form stands in for another. Where relayhost
is `[relay.example]:587`, a policy for `relay.example`, `[relay.example]` or
`[relay.example]:submission` has no effect, and mail goes as if there was none.

Write the key as the next hop is written. A key that is a plain name may also be
meant for recipients in that domain, and a table that postls cannot read may name
other next hops: then this is a warning.
",
    postfix_says: "TLS is required, but was not offered",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
relayhost = [mx.cleartext.example]:25
smtp_tls_security_level = encrypt
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> tls_policy <==
[mx.cleartext.example] may
#^^^^^^^^^^^^^^^^^^^^^ smtp(8) asks for \"[mx.cleartext.example]:25\"
",
    good: "
==> main.cf <==
relayhost = [mx.cleartext.example]:25
smtp_tls_security_level = encrypt
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> tls_policy <==
[MX.cleartext.example]:25 may
[mx.cleartext.example] may
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (_, routes) in context.routes() {
        for route in routes.routes.iter().filter(|it| matches!(it.policy, Answer::Nothing)) {
            for key in route.alike.iter().filter(|it| !is_asked_for(routes, &it.key)) {
                let program = route.hop.client.program;
                let destination = super::destination(route);
                let text = format!("{program}(8) asks for \"{destination}\"");
                // Mail may go to a domain of that name, but to no domain with brackets or a port.
                let is_domain = !key.key.contains(&b'[') && !key.key.contains(&b':');
                let finding = if is_domain || !routes.hops.unread.is_empty() {
                    findings.milder(Severity::Warning, key.span, text)
                } else {
                    findings.at(key.span, text)
                };
                finding
                    .related(route.hop.span, format!("the next hop of {}", route.hop.parameter))
                    .help(format!("write the key as \"{destination}\""));
            }
        }
    }
}

/// Whether a key is another next hop as it is written.
fn is_asked_for(routes: &Routes, key: &[u8]) -> bool {
    routes.routes.iter().any(|it| crate::text::fold(&it.hop.text) == key)
}
