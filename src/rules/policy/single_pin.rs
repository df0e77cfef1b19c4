//! Servers that are known by a single key.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Pinned, PinnedBy, Rule, WrittenPin};
use crate::policy::Date;
use crate::postfix::SecurityLevel;

pub(super) static RULE: Rule = Rule {
    id: "single-pin",
    severity: Severity::Warning,
    summary: "a server is known by one pin, and there is no second one",
    doc: "
At level fingerprint smtp(8) takes mail only to a server whose certificate or public
key has one of the policy's fingerprints. With a single one all mail waits from the
hour in which the partner changes the key until somebody has written the new
fingerprint.

Ask the partner to make the next key now, and pin it beside the one in use: a key
that is in no server yet does no harm. A pin of the public key, and not of the
certificate, also outlives every renewal with the same key.

The same key twice, in two digests, or as a certificate and its own key, is one pin.
In the policy file one whose `retire:` has come is no second one.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
smtp_tls_fingerprint_digest = sha1
==> tls_policy <==
example.com fingerprint match=AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0:B4:88:CD:9B
#                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the only pin: mail waits when the key changes
",
    good: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
smtp_tls_fingerprint_digest = sha1
==> tls_policy <==
example.com fingerprint
    match=AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0:B4:88:CD:9B
    match=09:16:54:5E:CB:B3:7F:0B:E4:73:64:60:69:AA:4F:72:00:4F:0F:1C
",
    check,
};

const TEXT: &str = "the only pin: mail waits when the key changes";

fn check(context: &Context<'_>, findings: &mut Findings) {
    let pinned = context.pinned();
    for destination in &pinned {
        // What Postfix does not take is found already, and is a second pin when it is right.
        if let Some(only) = only(destination, context.today).filter(|_| !destination.has_unusable) {
            let help = match destination.within {
                PinnedBy::Row(_) => "pin the next key too, as a further match=",
                PinnedBy::PolicyFile => "pin the next key too, as a further entry",
            };
            findings.at(only.span, TEXT).help(help);
        }
    }
    for (client, mut pins) in context.common_pins() {
        let asks = |it: &Pinned<'_>| match it.within {
            PinnedBy::Row(table) => table.clients.iter().any(|it| it.client.name == client.client.name),
            PinnedBy::PolicyFile => {
                context.policies.is_some_and(|it| it.table.client() == client.client.name)
            }
        };
        let is_global = client.client.level == Ok(SecurityLevel::Fingerprint);
        let is_used = is_global || pinned.iter().any(|it| it.pins.is_empty() && asks(it));
        pins.value.sort();
        pins.value.dedup();
        if is_used && pins.value.len() == 1 {
            findings.at(pins.span, TEXT).help("pin the next key too, with a comma between them");
        }
    }
}

/// The pin beside which there is none that stays.
fn only<'p>(destination: &'p Pinned<'_>, today: Option<Date>) -> Option<&'p WrittenPin<'p>> {
    let is_overdue = |it: &&WrittenPin<'_>| {
        it.pin.zip(today).is_some_and(|(pin, today)| pin.is_overdue(today))
    };
    let mut stay = destination.pins.iter().filter(|it| !is_overdue(it));
    let first = stay.next()?;
    stay.all(|it| it.has_same_key(first)).then_some(first)
}
