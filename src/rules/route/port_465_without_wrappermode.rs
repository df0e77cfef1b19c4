//! A next hop that speaks TLS from the start, and a client that waits for a greeting.

use crate::config::{Destination, Endpoint};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "port-465-without-wrappermode",
    severity: Severity::Warning,
    summary: "the next hop is on port 465, and the client does not begin with TLS",
    doc: "
A server on port 465 begins with the TLS handshake. Without smtp_tls_wrappermode the
client waits for a greeting in clear text that never comes, and defers the mail after
smtp_helo_timeout, five minutes by default. The level does not change that.

Set `smtp_tls_wrappermode = yes` and a level of encrypt or stronger for the service
that goes there, in master.cf if other mail goes elsewhere; or use port 587.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
relayhost = [relay.example]:465
#           ^^^^^^^^^^^^^^^^^^^ smtp(8) waits for a greeting in clear text
smtp_tls_security_level = encrypt
",
    good: "
relayhost = [relay.example]:465
smtp_tls_security_level = encrypt
smtp_tls_wrappermode = yes
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (effective, routes) in context.routes() {
        for hop in routes.hops.named.iter().filter(|it| it.endpoint == Endpoint::Network) {
            let Ok(destination) = Destination::parse(&hop.text) else { continue };
            // A service of this host may listen on any port.
            if destination.port() != Some(465) || destination.is_loopback() {
                continue;
            }
            let name = hop.client.parameter("tls_wrappermode");
            let value = effective.value(&name, hop.client.within(&effective)).0;
            if value.is_ok_and(|it| it.eq_ignore_ascii_case(b"no")) {
                let program = hop.client.program;
                findings
                    .at(hop.span, format!("{program}(8) waits for a greeting in clear text"))
                    .help(format!("{name} = yes for the service that goes there"));
            }
        }
    }
}
