//! A client that begins with TLS where the server begins with a greeting.

use crate::config::{Destination, Endpoint};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "client-wrappermode-on-starttls-port",
    severity: Severity::Warning,
    summary: "the client begins with TLS, and the next hop's port is one for STARTTLS",
    doc: "
With smtp_tls_wrappermode a client begins with the TLS handshake, as servers on port
465 want it. On the ports 25 and 587 a server begins with a greeting in clear text,
which is no part of a handshake: the client defers the mail.

Wrapper mode is for the service that goes to port 465, in master.cf if other mail
goes elsewhere.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
relayhost = [relay.example]:587
#           ^^^^^^^^^^^^^^^^^^^ smtp(8) begins with TLS on port 587
smtp_tls_security_level = encrypt
smtp_tls_wrappermode = yes
",
    good: "
relayhost = [relay.example]:submissions
smtp_tls_security_level = encrypt
smtp_tls_wrappermode = yes
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (effective, routes) in context.routes() {
        for hop in routes.hops.named.iter().filter(|it| it.endpoint == Endpoint::Network) {
            let Ok(destination) = Destination::parse(&hop.text) else { continue };
            let port = destination.port();
            // Without a port, smtp_tcp_port decides, and whoever sets that knows why.
            let Some(port) = port.filter(|it| [25, 587].contains(it)) else { continue };
            let name = hop.client.parameter("tls_wrappermode");
            let value = effective.value(&name, hop.client.within(&effective)).0;
            // A service of this host may listen on any port.
            if value.is_ok_and(|it| it.eq_ignore_ascii_case(b"yes")) && !destination.is_loopback() {
                let program = hop.client.program;
                findings
                    .at(hop.span, format!("{program}(8) begins with TLS on port {port}"))
                    .help(format!("port 465, or {name} = no for the service that goes there"));
            }
        }
    }
}
