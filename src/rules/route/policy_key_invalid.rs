//! Keys that no next hop can be.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::Nexthop;
use crate::policy::nexthop::NotNexthop;
use crate::syntax::table::Kind;
use crate::text::Span;

pub(super) static RULE: Rule = Rule {
    id: "policy-key-invalid",
    severity: Severity::Error,
    summary: "a policy stands under a key that is no next-hop destination",
    doc: "
The keys of a TLS policy table are next-hop destinations as they are configured:
`domain`, `.domain` for all below it, `host:port`, `[host]`, `[host]:port`. Nothing
else is asked for: no `*`, no mail address, no `smtp:` in front, no final dot and no
port inside of brackets. A row with such a key has no effect, and mail goes as if it
was not there.
",
    postfix_says: "TLS is required, but was not offered",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
relayhost = mx.cleartext.example
smtp_tls_security_level = encrypt
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> tls_policy <==
*.cleartext.example may
#^^^^^^^^^^^^^^^^^^ \"*\" is no wildcard here; \".example.com\" covers the sub-domains of example.com
",
    good: "
==> main.cf <==
relayhost = mx.cleartext.example
smtp_tls_security_level = encrypt
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> tls_policy <==
.cleartext.example may
",
    check,
};

/// Longer keys are not looked at: there are no such names.
const LONGEST: usize = 1000;

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.tables.iter().filter(|it| !it.clients.is_empty()) {
        let lmtp = table.clients.iter().any(|it| it.client.name == "lmtp");
        let bytes = context.sources.source(table.source).bytes();
        for row in table.table.rows.iter().filter(|it| it.kind == Kind::Entry) {
            let range = row.key_range(bytes);
            let key = &bytes[range.clone()];
            if key.len() > LONGEST || is_plain(key) {
                continue;
            }
            let Ok(text) = str::from_utf8(key) else { continue };
            let Err(why) = Nexthop::parse(text) else { continue };
            match why {
                // The path of a socket may be relative.
                NotNexthop::Form if lmtp && text.contains('/') => continue,
                // A port may be missing, and names may be other than ASCII.
                NotNexthop::Form if text.ends_with(':') || !text.is_ascii() => continue,
                NotNexthop::Empty
                | NotNexthop::Blank
                | NotNexthop::Address
                | NotNexthop::Wildcard
                | NotNexthop::Transport
                | NotNexthop::TrailingDot
                | NotNexthop::PortInBrackets
                | NotNexthop::Form => {}
            }
            findings.at(Span::new(table.source, range), why.to_string());
        }
    }
}

/// Most keys are domains: no closer look at them.
fn is_plain(key: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    key.iter().all(plain)
        && ends(key.first())
        && ends(key.last())
        && !key.windows(2).any(|it| it == b"..")
}
