//! Names in letters, where most mail has them in ASCII.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::syntax::table::Kind;
use crate::text::{Span, fold};

pub(super) static RULE: Rule = Rule {
    id: "policy-key-not-ascii",
    severity: Severity::Warning,
    summary: "a policy stands under the name that only mail with SMTPUTF8 asks for",
    doc: "
Postfix does not convert between the two forms of an international name. Only a
message that is sent with SMTPUTF8 has `bücher.example` as the domain of a recipient;
all other mail has `xn--bcher-kva.example`, and goes as if there was no policy.

Write both keys. A policy for a next hop that is configured in letters is not meant:
it is looked up as it is written.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> tls_policy <==
bücher.example encrypt
#^^^^^^^^^^^^^^ most mail asks for \"xn--bcher-kva.example\"
",
    good: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> tls_policy <==
bücher.example encrypt
xn--bcher-kva.example encrypt
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.tables.iter().filter(|it| !it.clients.is_empty()) {
        let bytes = context.sources.source(table.source).bytes();
        let entries = table.table.rows.iter().filter(|it| it.kind == Kind::Entry);
        for range in entries.map(|it| it.key_range(bytes)) {
            let key = &bytes[range.clone()];
            if key.is_ascii() || key.len() > 255 || is_next_hop(context, key) {
                continue;
            }
            let Some(other) = in_ascii(key) else { continue };
            if !has(context, &other) {
                findings
                    .at(Span::new(table.source, range), format!("most mail asks for \"{other}\""))
                    .help("write both keys");
            }
        }
    }
}

/// The A-label form of a domain, or of the domains below one.
fn in_ascii(key: &[u8]) -> Option<String> {
    let text = str::from_utf8(key).ok()?;
    let (dot, name) = text.strip_prefix('.').map_or(("", text), |it| (".", it));
    if name.contains(['[', ':', '/', '@', '"']) {
        return None;
    }
    let name = idna::domain_to_ascii(name).ok().filter(|it| it.contains("xn--"))?;
    Some(format!("{dot}{name}"))
}

fn is_next_hop(context: &Context<'_>, key: &[u8]) -> bool {
    let mut all = context.routes().flat_map(|(_, it)| &it.hops.named);
    all.any(|it| fold(&it.text) == fold(key))
}

/// Whether one of the policy tables has the key.
fn has(context: &Context<'_>, key: &str) -> bool {
    context.tables.iter().filter(|it| !it.clients.is_empty()).any(|table| {
        let bytes = context.sources.source(table.source).bytes();
        let mut entries = table.table.rows.iter().filter(|it| it.kind == Kind::Entry);
        entries.any(|it| bytes[it.key_range(bytes)].eq_ignore_ascii_case(key.as_bytes()))
    })
}
