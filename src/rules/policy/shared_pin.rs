//! One pin for destinations that have nothing to do with each other.

use std::collections::{HashMap, HashSet};

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, PinnedBy, Rule, host_of};
use crate::postfix::Fingerprint;

pub(super) static RULE: Rule = Rule {
    id: "shared-pin",
    severity: Severity::Warning,
    summary: "unrelated destinations have the same pin",
    doc: "
Two organisations hardly ever have the same key. Mostly a line was copied for a new
destination, and its pin was forgotten: mail to it waits, or whoever has the key of
the one can read the mail to the other.

Destinations are related if one is a part of the other's domain, if both belong to
the same registered domain, or if they differ in brackets and port only. Where one
provider does take the mail of both, say so: in the policy file with a profile that
both use, in a table with a comment that allows it.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
smtp_tls_fingerprint_digest = sha1
==> tls_policy <==
a.example fingerprint match=AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0:B4:88:CD:9B|09:16:54:5E:CB:B3:7F:0B:E4:73:64:60:69:AA:4F:72:00:4F:0F:1C
b.example fingerprint match=AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0:B4:88:CD:9B
#                           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the same pin as for a.example
",
    good: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
smtp_tls_fingerprint_digest = sha1
==> tls_policy <==
a.example fingerprint match=AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0:B4:88:CD:9B|09:16:54:5E:CB:B3:7F:0B:E4:73:64:60:69:AA:4F:72:00:4F:0F:1C
.mail.a.example fingerprint match=AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0:B4:88:CD:9B|09:16:54:5E:CB:B3:7F:0B:E4:73:64:60:69:AA:4F:72:00:4F:0F:1C
[mx.a.example]:587 fingerprint match=AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0:B4:88:CD:9B|09:16:54:5E:CB:B3:7F:0B:E4:73:64:60:69:AA:4F:72:00:4F:0F:1C
",
    check,
};

/// A pin of a destination, as indexes.
#[derive(Clone, Copy)]
struct Use {
    destination: usize,
    pin: usize,
}

fn check(context: &Context<'_>, findings: &mut Findings) {
    let pinned = context.pinned();
    let span = |it: Use| pinned[it.destination].pins[it.pin].span;
    let keys = |it: Use| pinned[it.destination].keys.iter();
    let is_unrelated = |a: Use, b: Use| {
        let is_related = |a: &String| keys(b).any(|b| are_related(a.as_bytes(), b.as_bytes()));
        a.destination != b.destination && !keys(a).any(is_related)
    };
    // The uses of each pin, in the order of the first ones.
    let mut known: HashMap<&Fingerprint, usize> = HashMap::new();
    let mut uses: Vec<Vec<Use>> = Vec::new();
    for (destination, it) in pinned.iter().enumerate() {
        for (pin, it) in it.pins.iter().enumerate() {
            for fingerprint in &it.fingerprints {
                let place = *known.entry(fingerprint).or_insert(uses.len());
                if place == uses.len() {
                    uses.push(Vec::new());
                }
                uses[place].push(Use { destination, pin });
            }
        }
    }
    // The same pin in several digests is found once.
    let mut found = HashSet::new();
    for uses in uses {
        let first = uses[0];
        let others: Vec<Use> = uses.into_iter().filter(|it| is_unrelated(first, *it)).collect();
        let Some(second) = others.first().filter(|it| found.insert(span(**it))) else { continue };
        let more = match others.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more have it"),
        };
        let help = match pinned[second.destination].within {
            PinnedBy::Row(_) => "is it the right one? where one provider serves both, allow it",
            PinnedBy::PolicyFile => {
                "is it the right one? where one provider serves both, a profile says so"
            }
        };
        findings
            .at(span(*second), format!("the same pin as for {}{more}", pinned[first.destination].keys[0]))
            .related(span(first), "the first one")
            .help(help);
    }
}

/// Whether two keys belong to one organisation, as far as their names tell.
fn are_related(a: &[u8], b: &[u8]) -> bool {
    let host = |it: &[u8]| {
        let host = host_of(it).unwrap_or_else(|| it.to_vec());
        host.strip_prefix(b".").unwrap_or(&host).to_vec()
    };
    let (a, b) = (host(a), host(b));
    a == b || organisation(&a).is_some_and(|it| organisation(&b) == Some(it))
}

/// What registries below countries call the domains under which they register. That a name is short
/// says nothing: companies have such ones too.
const REGISTRIES: &[&[u8]] = &[
    b"ac", b"co", b"com", b"edu", b"go", b"gob", b"gov", b"gv", b"ltd", b"mil", b"ne", b"net", b"nhs",
    b"nom", b"or", b"org", b"plc", b"sch",
];

/// The registered domain of a host, without a list of all registries: below `co.uk` and its like
/// three labels, else two. `None`: an address or a path.
fn organisation(host: &[u8]) -> Option<&[u8]> {
    let is_name = host.iter().any(u8::is_ascii_alphabetic) && !host.iter().any(|it| b":/".contains(it));
    let labels: Vec<&[u8]> = host.split(|it| *it == b'.').collect();
    let is_registry =
        matches!(labels[..], [.., second, top] if top.len() == 2 && REGISTRIES.contains(&second));
    let wanted = if is_registry { 3 } else { 2 };
    let skipped = labels.len().checked_sub(wanted)?;
    let length: usize = labels[..skipped].iter().map(|it| it.len() + 1).sum();
    is_name.then_some(&host[length..])
}
