//! `postls pin add`

use std::fmt::Write;
use std::path::Path;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::change::{APPLY, How, Target, Work, load_policy, retire};
use super::{WhatOf, date, nexthop};
use crate::certificate::Of;
use crate::cli::load::Loaded;
use crate::cli::{Common, Outcome, Stop};
use crate::host::{Host, System};
use crate::policy::yaml::edit::{Change, PinKey};
use crate::policy::{Date, Nexthop, Pin};
use crate::postfix::{Digest, Fingerprint};
use crate::report::pin::in_shell;
use crate::text::{Span, shortened};

#[derive(Args)]
pub(in crate::cli) struct Add {
    /// The next-hop destination, as the policy file has it
    #[arg(value_name = "DEST", value_parser = nexthop)]
    destination: Nexthop,
    /// The fingerprint of the key, as Postfix and openssl write it
    #[arg(required_unless_present = "pem", conflicts_with = "pem", value_parser = fingerprint)]
    fingerprint: Option<Fingerprint>,
    /// A PEM file with the certificate or key; its name relative to the policy file that gets it
    #[arg(long, value_name = "FILE")]
    pem: Option<String>,
    /// What is pinned
    #[arg(long, value_name = "WHAT", default_value = "public-key")]
    of: WhatOf,
    /// A remark: where the fingerprint is from, who checked it
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    note: Option<String>,
    /// From this day on all other pins of the destination should be gone
    #[arg(long, value_name = "DATE", value_parser = date)]
    retire_others: Option<Date>,
    #[command(flatten)]
    how: How,
}

impl Add {
    /// A key that was seen.
    #[cfg(feature = "probe")]
    pub(in crate::cli) fn of_key(destination: Nexthop, key: Fingerprint, note: String) -> Add {
        Add {
            destination,
            fingerprint: Some(key),
            pem: None,
            of: WhatOf::PublicKey,
            note: Some(note),
            retire_others: None,
            how: How::default(),
        }
    }

    pub(in crate::cli) fn run(
        &self,
        common: &Common,
        policy: Option<&Path>,
    ) -> Result<Outcome, Stop> {
        let host = System;
        let (loaded, request) = load_policy(&host, common, policy)?;
        let target = Target::find(&loaded, common, &self.destination, self.how.in_profile)?;
        if let (Some(given), Some(digest)) = (&self.fingerprint, digest_in_force(&loaded)) {
            self.is_in_force(given, digest, &loaded)?;
        }
        let Some(today) = loaded.today else {
            return Err(Stop("this host's clock shows no day".to_owned()));
        };
        let mut keys = Vec::new();
        if let Some(fingerprint) = &self.fingerprint {
            keys.push((PinKey::from(Of::from(self.of)), fingerprint.to_string()));
        }
        if let Some(pem) = &self.pem {
            keys.push((PinKey::Pem, named_from(&host, &target.folder(&loaded), pem)?));
            if self.of == WhatOf::Certificate {
                keys.push((PinKey::Of, PinKey::Certificate.name().to_owned()));
            }
        }
        keys.extend(self.note.clone().map(|it| (PinKey::Note, it)));
        keys.push((PinKey::Added, today.to_string()));
        let mut work = Work { host: &host, loaded: &loaded, request, target, changed: None };
        work.make(&Change::Add(keys))?;
        let after = work.read_again(common)?;
        let old = work.target.pins(&loaded);
        let new = Target::pins_of(&after, &self.destination);
        let Some(added) = new.last().filter(|_| new.len() == old.len() + 1) else {
            return Err(Stop("the new pin is not read as such; nothing was changed".to_owned()));
        };
        let digest = digest_in_force(&after);
        let is_it = |it: &Pin| {
            it.in_force(digest).map(|it| it.value) == added.in_force(digest).map(|it| it.value)
        };
        let known = old.iter().position(is_it);
        let mut said = String::new();
        if let Some(known) = known {
            // Only what is said of the others can change.
            work.changed = None;
            let _ = writeln!(said, "pin {} of {} is that one already", known + 1, self.destination);
        } else {
            let of = PinKey::from(added.of).name();
            let made = added.in_force(digest).map(|it| it.value.to_string()).unwrap_or_default();
            let _ = writeln!(said, "pin {} of {}: {of} {made}", new.len(), self.destination);
        }
        if let Some(day) = self.retire_others {
            for (index, pin) in old.iter().enumerate().filter(|(index, _)| Some(*index) != known) {
                if pin.retire.is_none_or(|it| it.value > day) {
                    work.make(&retire(work.target.entry(pin)?, day))?;
                    let _ = writeln!(said, "pin {}: retire {day}", index + 1);
                }
            }
            work.read_again(common)?;
        }
        work.finish(common, &self.how, &said, APPLY)
    }

    /// Postfix compares fingerprints of one digest only.
    fn is_in_force(
        &self,
        given: &Fingerprint,
        digest: Digest,
        loaded: &Loaded,
    ) -> Result<(), Stop> {
        let (Some(is), client) = (given.digest(), client_name(loaded)) else { return Ok(()) };
        if is == digest {
            return Ok(());
        }
        let parameter = format!("{client}_tls_fingerprint_digest");
        let place = set_at(loaded, &parameter).map_or("by default".to_owned(), |span| {
            let source = loaded.sources.of(span);
            format!("{}:{}", source.name(), source.line_column(span.start).0.number())
        });
        Err(Stop(format!(
            "this is a fingerprint in {is}, and {parameter} is {digest} ({place}): Postfix would \
             never find it; give the one in {digest}, or the certificate itself with \
             `postls pin add {} --pem FILE`; nothing was changed",
            in_shell(&self.destination.to_string())
        )))
    }
}

/// For clap: a fingerprint whose length is that of a digest.
pub(in crate::cli) fn fingerprint(text: &str) -> Result<Fingerprint, String> {
    let text = text.trim();
    // As `openssl x509 -fingerprint` prints it.
    let text = text.rsplit_once('=').map_or(text, |it| it.1);
    match Fingerprint::parse(text.as_bytes()) {
        None => Err("pairs of hexadecimal digits, with colons between them or without".to_owned()),
        Some(it) if it.digest().is_none() => {
            Err(format!("{} bytes are the fingerprint of no digest", it.length()))
        }
        Some(it) => Ok(it),
    }
}

fn client_name(loaded: &Loaded) -> &'static str {
    loaded.policy.as_ref().map_or("smtp", |it| it.policies.table.client())
}

fn digest_in_force(loaded: &Loaded) -> Option<Digest> {
    loaded.context().client(client_name(loaded)).client.known_digest()
}

/// Where the policy file or main.cf sets a parameter of the client that asks the table.
fn set_at(loaded: &Loaded, parameter: &str) -> Option<Span> {
    let policies = &loaded.policy.as_ref()?.policies;
    let owned = policies.parameters.iter().find(|it| it.name.value == parameter);
    if let Some(owned) = owned {
        return owned.value.as_ref().map(|it| it.span);
    }
    let context = loaded.context();
    let client = context.client(policies.table.client());
    client.set_at(&context.effective()?, "tls_fingerprint_digest")
}

/// How a policy file in `folder` names a file that somebody named on the command line.
fn named_from(host: &dyn Host, folder: &Path, name: &str) -> Result<String, Stop> {
    if host.exists(&folder.join(name)) {
        return Ok(name.to_owned());
    }
    // Whoever completes names in a shell means one relative to where it is.
    let path = Path::new(name);
    let Ok(whole) = host.resolve(path) else {
        return Err(Stop(format!(
            "{}: there is no such file; names are relative to {}; nothing was changed",
            shortened(name),
            folder.display()
        )));
    };
    let inside = whole.strip_prefix(folder).unwrap_or(&whole);
    let text = inside.to_str().map(str::to_owned);
    text.ok_or_else(|| Stop(format!("{}: its name is not UTF-8", inside.display())))
}
