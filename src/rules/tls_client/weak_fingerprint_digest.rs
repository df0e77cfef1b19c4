//! md5 and sha1 for fingerprints.

use crate::config::TableKind;
use crate::finding::{Fix, Safety, Severity};
use crate::lint::{self, Context, Findings, FixKind, Pinned, PinnedBy, Rule};
use crate::policy::Pin;
use crate::postfix::Digest;
use crate::text::{Edit, Span};

pub(super) static RULE: Rule = Rule {
    id: "weak-fingerprint-digest",
    severity: Severity::Warning,
    summary: "fingerprints are made with a weak digest",
    doc: "
Two certificates with the same md5 or sha1 fingerprint can be made. A
fingerprint policy is the strongest that Postfix has, and it is no stronger than
its digest. An OpenSSL in FIPS mode has no md5 at all, and then the whole TLS
client is off.

Changing smtp_tls_fingerprint_digest makes every fingerprint in the tables
invalid: change both in one step, `openssl x509 -noout -fingerprint -sha256`
prints the new ones.

Where every pin of the policy file has its sha256 fingerprint, or names the file that
it is made of, and no other pins are in force, postls makes the step: it writes sha256
for the digest and for all pins, and `postls apply` puts both in place. The same
servers are known as before. A digest that the policy file replaces with a better one
is not found in main.cf.
",
    postfix_says: "",
    fix: FixKind::Sometimes,
    bad: "
smtp_tls_fingerprint_digest = sha1
#                             ^^^^ sha1 is weak
",
    good: "
smtp_tls_fingerprint_digest = sha256
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for name in ["smtp_tls_fingerprint_digest", "lmtp_tls_fingerprint_digest"] {
        let owned = context.policies.and_then(|it| it.value_of(name));
        let weak = |value: &[u8]| Digest::parse(value).filter(|it| it.is_weak());
        let configuration = context.configuration.as_ref().filter(|_| owned.is_none());
        let set = configuration.and_then(|it| {
            let value = it.value(name).0.ok()?;
            Some((it.setting(name)?.value_span(), weak(&value)?))
        });
        let owned = owned.and_then(|it| Some((it.span, weak(it.value.as_bytes())?)));
        if let Some((span, digest)) = set.or(owned) {
            let fix = rewritten(context, name, owned.map(|it| it.0));
            let finding = findings.at(span, format!("{digest} is weak"));
            finding.help("use sha256, and fingerprints of that length, in one step").fix = fix;
        }
    }
}

/// The fix that makes sha256 of the digest and of all pins; `None`: not all of them can be had in
/// it. `owned`: where the policy file says the digest.
fn rewritten(context: &Context<'_>, name: &str, owned: Option<Span>) -> Option<Fix> {
    let policies = context.policies?;
    let client = policies.table.client();
    let pins = policies.destinations.iter().flat_map(|it| it.policy.pins.iter());
    let pins: Vec<&Pin> = pins.flat_map(|it| it.iter()).collect();
    let in_table = |it: &Pinned<'_>| match it.within {
        PinnedBy::Row(table) => {
            !it.pins.is_empty() && table.clients.iter().any(|it| it.client.name == client)
        }
        PinnedBy::PolicyFile => false,
    };
    let is_ours = name.starts_with(client) && !pins.is_empty();
    let common = context.common_pins();
    let has_common = common.iter().any(|it| it.0.client.name == client && !it.1.value.is_empty());
    let views: Vec<_> = context.views().collect();
    let mut clients = views.iter().flat_map(lint::clients).filter(|it| it.client.name == client);
    let has_others = clients.any(|it| it.tables.iter().any(|it| it.kind == TableKind::Other));
    if !is_ours || has_common || has_others || context.pinned().iter().any(in_table) {
        return None;
    }
    let mut edits = vec![match owned {
        Some(span) => Edit::new(span, "sha256"),
        None => owning(context, name)?,
    }];
    for pin in pins {
        let new = pin.fingerprint(Digest::Sha256)?;
        let has_new = pin.given.iter().any(|it| it.value == new);
        // The pins of a profile come with each destination that uses it.
        if let Some(old) = pin.given.first().filter(|_| !has_new)
            && !edits.iter().any(|it| it.span == old.span)
        {
            edits.push(Edit::new(old.span, format!("\"{new}\"")));
        }
    }
    let title = "write sha256 for the digest and for all pins".to_owned();
    Some(Fix { safety: Safety::Safe, title, edits })
}

/// The edit with which the policy file owns the digest, in front of the first parameter that it
/// owns; `None`: it has none.
fn owning(context: &Context<'_>, name: &str) -> Option<Edit> {
    let first = context.policies?.parameters.first()?.name.span;
    let bytes = context.sources.source(first.source).bytes();
    let at = first.range().start;
    let line = bytes[..at].iter().rposition(|it| *it == b'\n').map_or(0, |it| it + 1);
    let is_block = bytes[line..at].iter().all(|it| *it == b' ');
    let indent = " ".repeat(at - line);
    let newline = if bytes[..line].ends_with(b"\r\n") { "\r\n" } else { "\n" };
    let text = if is_block {
        format!("{name}: sha256{newline}{indent}")
    } else {
        format!("{name}: sha256, ")
    };
    Some(Edit::new(Span::new(first.source, at..at), text))
}
