//! Transports that master.cf does not have.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "transport-unknown",
    severity: Severity::Error,
    summary: "master.cf has no service of this transport's name",
    doc: "
A transport is the name of a service in master.cf, and the word in front of the
first colon is one whatever it looks like: `[relay.example]:25` in a transport table
is the transport `[relay.example]` and the next hop `25`. Mail for a transport that
is not there stays in the queue.

Write `smtp:[relay.example]:25`, or `:[relay.example]:25` to keep the transport that
the recipient's domain would have.
",
    postfix_says: "connect to transport private/[relay.example]: No such file or directory",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
transport_maps = texthash:$config_directory/routes
==> master.cf <==
smtp unix - - n - - smtp
==> routes <==
plain.example [relay.example]:25
#             ^^^^^^^^^^^^^^^ no service has the name \"[relay.example]\"
",
    good: "
==> main.cf <==
transport_maps = texthash:$config_directory/routes
==> master.cf <==
smtp unix - - n - - smtp
==> routes <==
plain.example smtp:[relay.example]:25
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (effective, routes) in context.routes() {
        // A file without any client is a part of one.
        if !effective.scopes.iter().any(|it| matches!(it.program(), b"smtp" | b"qmgr" | b"nqmgr")) {
            continue;
        }
        for transport in &routes.hops.transports {
            let is_there = |it: &crate::config::Scope| {
                it.service == transport.name && !it.name.ends_with(b"/inet")
            };
            if transport.name.is_empty() || effective.scopes.iter().any(is_there) {
                continue;
            }
            let name = super::shown(&transport.name);
            let finding =
                findings.at(transport.span, format!("no service has the name \"{name}\""));
            if name.contains(['[', '.']) {
                finding.help("the transport stands in front of it: \"smtp:[host]:port\"");
            }
        }
    }
}
