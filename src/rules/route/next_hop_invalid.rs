//! Next hops that a client cannot take apart.

use crate::config::{Destination, Endpoint};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "next-hop-invalid",
    severity: Severity::Error,
    summary: "smtp(8) cannot read the next-hop destination",
    doc: "
A next-hop destination is `domain`, `[host]`, `[address]` or `[IPv6:address]`, with
`:port` behind it where the port is another one: `[relay.example]:587`. On anything
else, such as a port inside of the brackets, smtp(8) and lmtp(8) exit when they are
to deliver there. The mail stays in the queue, and master(8) starts the program
less often, so that other mail waits as well.

relayhost is a destination alone: a transport in front of it belongs into
default_transport or into a row of transport_maps.
",
    postfix_says: "valid hostname or network address required in server description: [relay.example:587]",
    fix: FixKind::Never,
    bad: "
relayhost = [relay.example:587]
#           ^^^^^^^^^^^^^^^^^^^ smtp(8) exits: valid hostname or network address required
",
    good: "
relayhost = [relay.example]:587
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (_, routes) in context.routes() {
        let network = routes.hops.named.iter().filter(|it| it.endpoint == Endpoint::Network);
        for hop in network {
            let Err(why) = Destination::parse(&hop.text) else { continue };
            let finding = findings.at(hop.span, format!("{}(8) exits: {why}", hop.client.program));
            let text = super::shown(&hop.text);
            let inside = text.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
            let with_port = inside.and_then(|it| it.rsplit_once(':'));
            match with_port {
                Some((host, port)) if !host.contains([':', '[']) => {
                    finding
                        .help(format!("the port stands behind the brackets: \"[{host}]:{port}\""));
                }
                _ if ["smtp:", "relay:", "lmtp:"].iter().any(|it| text.starts_with(it)) => {
                    finding.help("a destination alone, without the transport");
                }
                _ => {}
            }
        }
    }
}
