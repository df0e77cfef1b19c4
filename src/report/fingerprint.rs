//! What `postls fingerprint` prints.

use std::fmt::Write as _;

use super::certificate::{date, kind, names, valid};
use super::human::printable;
use super::query::{Place, shown_place};
use super::{Style, fingerprint_json};
use crate::certificate::trust::{Refusal, Verdict};
use crate::certificate::{Of, Subject};
use crate::policy::Date;
use crate::postfix::{Digest, Fingerprint};
use crate::text::Sources;

/// All that was asked for.
pub struct Fingerprints<'a> {
    /// What stands in the files, in their order.
    pub items: &'a [Item],
    /// The files that nothing can be said of.
    pub failed: &'a [Failed],
    /// The digests to print.
    pub digests: &'a [Digest],
    /// The one in force.
    pub in_force: &'a InForce,
    /// The files that it comes from.
    pub sources: &'a Sources,
    /// The whole days since 1970-01-01 UTC.
    pub today: u64,
}

/// Something in a file that has fingerprints.
pub struct Item {
    /// The file, as it was named.
    pub file: String,
    /// Its place among those of its file, from 1.
    pub number: usize,
    /// How many its file has.
    pub of: usize,
    /// Whether it is the one of its file that is pinned.
    pub is_pinned: bool,
    /// What it is.
    pub subject: Subject,
    /// Who trusts it, where that was asked.
    pub trust: Vec<Trust>,
}

/// Whether somebody trusts a certificate.
pub struct Trust {
    /// Who.
    pub by: String,
    /// Whether they do, or why that is not known.
    pub verdict: Result<Verdict, String>,
}

impl Trust {
    /// Whether they do; `None`: that is not known.
    pub(super) fn is_trusted(&self) -> Option<bool> {
        match &self.verdict {
            Ok(Verdict::Trusted) => Some(true),
            Ok(Verdict::Refused { .. }) => Some(false),
            Ok(Verdict::NotChecked(_)) | Err(_) => None,
        }
    }

    /// Why they do not, or why that is not known; `None`: they do.
    pub(super) fn reason(&self) -> Option<&str> {
        match &self.verdict {
            Ok(Verdict::Trusted) => None,
            Ok(Verdict::Refused { refusal, reason, .. }) => Some(match refusal {
                Refusal::IssuerMissing => "no trusted issuer is found",
                Refusal::SelfSigned => "it ends with a certificate that signed itself",
                Refusal::Expired => "a certificate has expired",
                Refusal::NotYetValid => "a certificate is not yet valid",
                Refusal::Purpose => "a certificate is not for this purpose",
                Refusal::Weak => "a key or signature is too weak",
                Refusal::Other => reason,
            }),
            Ok(Verdict::NotChecked(why)) => Some(why),
            Err(why) => Some(why),
        }
    }
}

/// A file that nothing can be said of.
pub struct Failed {
    /// The file, as it was named.
    pub file: String,
    /// Why.
    pub why: String,
}

/// The digest that Postfix compares fingerprints in.
pub enum InForce {
    /// This one.
    Known {
        /// Which.
        digest: Digest,
        /// Who says so.
        place: Place,
    },
    /// One that postls does not make, or that does not exist.
    Other {
        /// Its name.
        name: String,
        /// Who says so.
        place: Place,
    },
    /// There is no configuration that could say.
    Nobodys {
        /// Where there is none, for people.
        why: String,
    },
}

impl InForce {
    /// The digest to use where nobody asks for another; `None`: postls does not make the one in force.
    pub fn digest(&self) -> Option<Digest> {
        match self {
            InForce::Known { digest, .. } => Some(*digest),
            InForce::Nobodys { .. } => Some(Digest::Sha256),
            InForce::Other { .. } => None,
        }
    }
}

/// For programs. The form is a promise: fields are added, never changed.
pub fn json(shown: &Fingerprints<'_>) -> String {
    fingerprint_json::fingerprints(shown)
}

/// For people.
pub fn human(shown: &Fingerprints<'_>, style: Style) -> String {
    let mut out = String::new();
    for (index, item) in shown.items.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        one(&mut out, shown, item);
    }
    if !style.quiet && !shown.items.is_empty() {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "\n({})", printable(&closing(shown)));
    }
    out
}

fn one(out: &mut String, shown: &Fingerprints<'_>, item: &Item) {
    let mut head = format!("{}: {}", item.file, kind(&item.subject));
    if item.of > 1 {
        let pinned = if item.is_pinned { ": this one is pinned" } else { "" };
        let _ = write!(head, ", {} of {}{pinned}", item.number, item.of);
    }
    let _ = writeln!(out, "{}", printable(&head));
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(out, "  {name:<9} {}", printable(value));
    };
    if let Some(it) = item.subject.certificate() {
        line("subject", &it.subject.to_string());
        let own = it.is_self_issued();
        line("issuer", &if own { "itself".to_owned() } else { it.issuer.to_string() });
        let names = names(it);
        if !names.is_empty() {
            line("names", &names);
        }
        line("valid", &valid(it, shown.today));
    }
    for it in &item.trust {
        let verdict = match (it.is_trusted(), it.reason()) {
            (Some(false), Some(why)) => format!("no: {why}"),
            (None, Some(why)) => format!("not known: {why}"),
            (_, None) | (Some(true), Some(_)) => "yes".to_owned(),
        };
        line("trusted", &format!("by {}: {verdict}", it.by));
    }
    if let Some(key) = item.subject.key() {
        let authority = item.subject.certificate().is_some_and(|it| it.is_ca);
        let authority = if authority { ", may sign other certificates" } else { "" };
        line("key", &format!("{key}{authority}"));
    }
    let wanted = [
        (Of::PublicKey, "of the public key (recommended: a renewal with the same key keeps it)"),
        (Of::Certificate, "of the certificate (changes with every renewal)"),
    ];
    for (of, title) in wanted {
        let made = |digest: &Digest| Some((*digest, item.subject.fingerprint(of, *digest)?));
        let made: Vec<(Digest, Fingerprint)> = shown.digests.iter().filter_map(made).collect();
        if !made.is_empty() {
            let _ = writeln!(out, "  {title}");
        }
        for (digest, fingerprint) in made {
            let mark = if is_in_force(shown.in_force, digest) { '*' } else { ' ' };
            let _ = writeln!(out, "  {mark} {:<7} {fingerprint}", digest.name());
        }
    }
}

fn is_in_force(in_force: &InForce, digest: Digest) -> bool {
    match in_force {
        InForce::Known { digest: known, .. } => *known == digest,
        InForce::Other { .. } | InForce::Nobodys { .. } => false,
    }
}

/// What the configuration needs, and who says so.
fn closing(shown: &Fingerprints<'_>) -> String {
    match shown.in_force {
        InForce::Known { digest, place } => {
            let from = shown_place(shown.sources, place);
            let shown = if shown.digests.contains(digest) { "* " } else { "not shown: " };
            let weak = if digest.is_weak() {
                "; it is weak: postls explain weak-fingerprint-digest"
            } else {
                ""
            };
            format!("{shown}{digest} is what this configuration needs: {from}{weak}")
        }
        InForce::Other { name, place } => {
            let from = shown_place(shown.sources, place);
            format!("this configuration needs \"{name}\", which postls does not make: {from}")
        }
        InForce::Nobodys { why } => {
            format!("sha256 is what Postfix 3.6 and newer need where main.cf says nothing; {why}")
        }
    }
}

/// Pins for the policy file, as they stand under `pins:` of a destination there.
pub fn yaml(shown: &Fingerprints<'_>, of: Of, today: Option<Date>) -> String {
    let key = match of {
        Of::PublicKey => "public-key",
        Of::Certificate => "certificate",
    };
    let mut out = String::new();
    for item in shown.items.iter().filter(|it| it.is_pinned) {
        let made = shown.digests.iter().filter_map(|it| item.subject.fingerprint(of, *it));
        let made: Vec<String> = made.map(|it| format!("\"{it}\"")).collect();
        let value = match made.as_slice() {
            [] => continue,
            [one] => one.clone(),
            several => format!("[{}]", several.join(", ")),
        };
        let _ = writeln!(out, "      - {key}: {value}");
        if let Some(today) = today {
            let _ = writeln!(out, "        added: {today}");
        }
        let _ = writeln!(out, "        note: {}", quoted(&note(item)));
    }
    out
}

/// Where a pin comes from.
fn note(item: &Item) -> String {
    match item.subject.certificate() {
        Some(it) => {
            format!("{}, valid until {}, from {}", it.subject, date(it.not_after), item.file)
        }
        None => format!("{} from {}", kind(&item.subject), item.file),
    }
}

/// Text in YAML's double quotes, which take what JSON's do.
fn quoted(text: &str) -> String {
    // Text can always be written.
    serde_json::to_string(&printable(text)).unwrap_or_default()
}

/// The attribute for a row of a TLS policy table: one of these is to fit.
pub fn attribute(shown: &Fingerprints<'_>, of: Of) -> String {
    let pinned = shown.items.iter().filter(|it| it.is_pinned);
    let made = pinned.flat_map(|item| {
        shown.digests.iter().filter_map(move |it| item.subject.fingerprint(of, *it))
    });
    let mut texts: Vec<String> = Vec::new();
    for text in made.map(|it| it.to_string()) {
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    if texts.is_empty() { String::new() } else { format!("match={}\n", texts.join("|")) }
}
