//! What `postls publish` prints.

use std::fmt::Write as _;

use super::certificate::{kind, names, valid};
use super::human::printable;
use super::{Style, publish_json};
use crate::certificate::{Of, Subject};
use crate::postfix::Digest;

/// What others need to know of this host's keys.
pub struct Publication<'a> {
    /// By names and ports.
    pub endpoints: &'a [Endpoint],
    /// The digests that partners pin.
    pub digests: &'a [Digest],
    /// What is not as it should be; said on standard error too.
    pub warnings: &'a [String],
    /// The whole days since 1970-01-01 UTC.
    pub today: u64,
}

/// A name and a port, and what clients find there.
pub struct Endpoint {
    /// The name of the mail server.
    pub name: String,
    /// The port.
    pub port: u16,
    /// The services of master.cf that listen there.
    pub services: Vec<String>,
    /// The keys: those of now, then those that will come.
    pub keys: Vec<Key>,
}

/// A key, with its certificate where that is known.
#[derive(Clone, Debug)]
pub struct Key {
    /// Whether it is in use.
    pub state: State,
    /// The file that it was found in, as it is called in the configuration or on the command line.
    pub file: String,
    /// What was found.
    pub subject: Subject,
}

/// Whether a key is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// smtpd(8) has it.
    Current,
    /// It will have it.
    Next,
}

impl State {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            State::Current => "current",
            State::Next => "next",
        }
    }
}

impl Key {
    /// The data of its TLSA record: DANE-EE(3), SPKI(1), SHA2-256(1).
    pub(super) fn tlsa(&self) -> String {
        format!(
            "3 1 1 {}",
            fingerprint(self, Of::PublicKey, Digest::Sha256).replace(':', "").to_ascii_lowercase()
        )
    }
}

impl Endpoint {
    /// The name of its TLSA records.
    pub(super) fn owner(&self) -> String {
        format!("_{}._tcp.{}.", self.port, self.name)
    }

    /// Each of its TLSA records once, with the first key that it is for.
    fn records(&self) -> Vec<(String, &Key)> {
        let mut records: Vec<(String, &Key)> = Vec::new();
        for key in &self.keys {
            let data = key.tlsa();
            if !records.iter().any(|it| it.0 == data) {
                records.push((data, key));
            }
        }
        records
    }
}

/// Empty where it is of a certificate that is not known.
fn fingerprint(key: &Key, of: Of, digest: Digest) -> String {
    key.subject.fingerprint(of, digest).map(|it| it.to_string()).unwrap_or_default()
}

/// For programs. The form is a promise: fields are added, never changed.
pub fn json(shown: &Publication<'_>) -> String {
    publish_json::publication(shown)
}

/// Records for a zone file.
pub fn zone(shown: &Publication<'_>) -> String {
    let mut out = String::new();
    for endpoint in shown.endpoints {
        for (data, key) in endpoint.records() {
            let comment = printable(&format!("{}: {}", key.state.name(), key.file));
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{} IN TLSA {data} ; {comment}", endpoint.owner());
        }
    }
    out
}

/// For people.
pub fn human(shown: &Publication<'_>, style: Style) -> String {
    let mut out = String::new();
    let mut told: Vec<&Key> = Vec::new();
    for endpoint in shown.endpoints {
        let services = endpoint.services.join(", ");
        let _ = writeln!(out, "{} port {}: {}", endpoint.name, endpoint.port, printable(&services));
        for key in &endpoint.keys {
            let is_told = told.iter().any(|it| it.subject == key.subject && it.file == key.file);
            one(&mut out, shown, key, if is_told { Told::Before } else { Told::Now });
            told.push(key);
        }
        out.push('\n');
    }
    let _ = writeln!(out, "for partners that pin public keys (Postfix: at level fingerprint)");
    for endpoint in by_name(shown.endpoints) {
        for digest in shown.digests {
            let mut texts: Vec<String> = Vec::new();
            for text in endpoint.keys.iter().map(|it| fingerprint(it, Of::PublicKey, *digest)) {
                if !texts.contains(&text) {
                    texts.push(text);
                }
            }
            let name = &endpoint.name;
            let _ = writeln!(out, "  {name}, with smtp_tls_fingerprint_digest = {digest}");
            let _ = writeln!(out, "    match={}", texts.join("|"));
        }
    }
    let _ = writeln!(out, "\nfor DNS, in a zone that DNSSEC signs");
    for line in zone(shown).lines() {
        let _ = writeln!(out, "  {line}");
    }
    if !style.quiet {
        let _ = writeln!(out, "\n({})", steps(shown));
    }
    out
}

/// Partners pin a name whatever the port.
fn by_name(endpoints: &[Endpoint]) -> Vec<&Endpoint> {
    let mut found: Vec<&Endpoint> = Vec::new();
    for endpoint in endpoints {
        if !found.iter().any(|it| it.name == endpoint.name) {
            found.push(endpoint);
        }
    }
    found
}

/// Whether a key has been shown in full.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Before,
    Now,
}

fn one(out: &mut String, shown: &Publication<'_>, key: &Key, told: Told) {
    let head = format!("  {}: {}, {}", key.state.name(), key.file, kind(&key.subject));
    let _ = writeln!(out, "{}", printable(&head));
    if told == Told::Before {
        return;
    }
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(out, "    {name:<11} {}", printable(value));
    };
    if let Some(it) = key.subject.certificate() {
        line("subject", &it.subject.to_string());
        let names = names(it);
        if !names.is_empty() {
            line("names", &names);
        }
        line("valid", &valid(it, shown.today));
    }
    if let Some(it) = key.subject.key() {
        line("key", &it.to_string());
    }
    for (of, name) in [(Of::PublicKey, "public key"), (Of::Certificate, "certificate")] {
        for digest in shown.digests {
            let text = fingerprint(key, of, *digest);
            if !text.is_empty() {
                line(name, &format!("{:<7} {text}", digest.name()));
            }
        }
    }
}

/// What to do in which order (RFC 7671, section 8.1).
fn steps(shown: &Publication<'_>) -> &'static str {
    let keys = |state| {
        let all = shown.endpoints.iter().flat_map(|it| &it.keys);
        all.filter(move |it| it.state == state).map(Key::tlsa)
    };
    let current: Vec<String> = keys(State::Current).collect();
    if keys(State::Next).next().is_some() && keys(State::Next).all(|it| current.contains(&it)) {
        "the next key is the current one: records and pins of the public key stay as they are"
    } else if keys(State::Next).next().is_some() {
        "in this order: publish both keys, and tell partners; wait two TTLs of the records, and for the \
         partners; change the key, and see mail arrive; take the old key away here and there"
    } else {
        "before the key changes: postls publish --next FILE, with the new key or its request"
    }
}
