//! `postls fingerprint`: the fingerprints of certificates and keys in files, as Postfix makes them.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::load::{self, Request};
use super::trusted::{self, Anchors};
use super::{Common, FAILED, OK, Outcome, Stop, answering, complain, standard_input};
use crate::certificate::{self, Binary, Of, Subject, Unreadable, pem, subjects};
use crate::host::{Host, System};
use crate::lint::{Context, PolicyClient};
use crate::policy::Date;
use crate::postfix::Digest;
use crate::report::fingerprint::{self as report, Failed, InForce, Item};
use crate::text::Sources;

#[derive(Args)]
pub(super) struct Fingerprint {
    /// Files with a certificate, a chain, a key or a request, in PEM or DER; "-" for standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The digests to print; default: the one that the configuration needs, else sha256
    #[arg(long, value_name = "DIGEST,...", value_delimiter = ',')]
    digest: Vec<WantedDigest>,
    /// What --yaml and --match make the fingerprint of
    #[arg(long, value_name = "WHAT", default_value = "public-key")]
    of: Pinned,
    /// Print pins to paste under pins: of a destination in the policy file
    #[arg(long, conflicts_with_all = ["as_attribute", "format"])]
    yaml: bool,
    /// Print match= to paste into a row of a TLS policy table, at level fingerprint
    #[arg(long = "match", conflicts_with = "format")]
    as_attribute: bool,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
}

/// A digest that is asked for.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum WantedDigest {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    All,
}

#[derive(Clone, Copy, ValueEnum)]
enum Pinned {
    /// Survives a renewal with the same key
    PublicKey,
    /// Changes with every renewal
    Certificate,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// For programs: postls/fingerprint/v1
    Json,
}

/// Those, each once and the shortest first.
pub(super) fn digests(asked: &[WantedDigest]) -> Vec<Digest> {
    let is_asked = |digest: &Digest| {
        asked.iter().any(|it| match it {
            WantedDigest::Md5 => *digest == Digest::Md5,
            WantedDigest::Sha1 => *digest == Digest::Sha1,
            WantedDigest::Sha224 => *digest == Digest::Sha224,
            WantedDigest::Sha256 => *digest == Digest::Sha256,
            WantedDigest::Sha384 => *digest == Digest::Sha384,
            WantedDigest::Sha512 => *digest == Digest::Sha512,
            WantedDigest::All => true,
        })
    };
    Digest::ALL.into_iter().filter(is_asked).collect()
}

impl Fingerprint {
    pub(super) fn run(&self, common: &Common) -> Result<Outcome, Stop> {
        let host = &System;
        if self.files.iter().filter(|it| it.as_path() == Path::new("-")).count() > 1 {
            return Err(Stop("standard input can be read once".to_owned()));
        }
        let Asked { sources, in_force, mut anchors } = asked(host, common)?;
        anchors.extend(trusted::of_system(host));
        let asked = digests(&self.digest);
        let digests = if asked.is_empty() { vec![self.needed(&in_force)?] } else { asked };
        if self.as_attribute && digests.len() > 1 {
            return Err(Stop("a row has fingerprints in one digest: name one".to_owned()));
        }
        let today = host.unix_day();
        let (mut items, failed) = self.items(host);
        if !self.yaml && !self.as_attribute {
            judge(&mut items, &anchors, today);
        }
        for Failed { file, why } in &failed {
            complain(&format!("{file}: {why}"));
        }
        let shown = report::Fingerprints {
            items: &items,
            failed: &failed,
            digests: &digests,
            in_force: &in_force,
            sources: &sources,
            today,
        };
        let output = if self.yaml {
            report::yaml(&shown, self.of(), Date::of_unix_day(today))
        } else if self.as_attribute {
            report::attribute(&shown, self.of())
        } else {
            match self.format {
                Format::Human => report::human(&shown, common.style()),
                Format::Json => report::json(&shown),
            }
        };
        let status = if failed.is_empty() { OK } else { FAILED };
        Ok(Outcome { output: output.into_bytes(), status })
    }

    /// The digest to print where nobody asks for one.
    fn needed(&self, in_force: &InForce) -> Result<Digest, Stop> {
        let to_paste = self.yaml || self.as_attribute;
        match (in_force, in_force.digest()) {
            (_, Some(digest)) => Ok(digest),
            (InForce::Other { name, .. }, None) if to_paste => Err(Stop(format!(
                "the configuration needs fingerprints in \"{name}\", which postls does not make; \
                 choose another one with --digest"
            ))),
            (_, None) => Ok(Digest::Sha256),
        }
    }

    fn of(&self) -> Of {
        match self.of {
            Pinned::PublicKey => Of::PublicKey,
            Pinned::Certificate => Of::Certificate,
        }
    }

    /// What stands in the files, and the files that nothing can be said of.
    fn items(&self, host: &dyn Host) -> (Vec<Item>, Vec<Failed>) {
        let (mut items, mut failed) = (Vec::new(), Vec::new());
        for path in &self.files {
            let file = path.display().to_string();
            match read(host, path).and_then(|it| self.of_file(&file, &it)) {
                Ok(found) => items.extend(found),
                Err(why) => failed.push(Failed { file, why }),
            }
        }
        (items, failed)
    }

    fn of_file(&self, file: &str, bytes: &[u8]) -> Result<Vec<Item>, String> {
        let found = all(file, bytes)?;
        let pinned = pinned(&found);
        let is_certificate = found[pinned].certificate().is_some();
        let to_paste = self.yaml || self.as_attribute;
        if to_paste && self.of() == Of::Certificate && !is_certificate {
            return Err("there is no certificate in it, and --of asks for one's".to_owned());
        }
        let of = found.len();
        let item = |(index, subject)| Item {
            file: file.to_owned(),
            number: index + 1,
            of,
            is_pinned: index == pinned,
            subject,
            trust: Vec::new(),
        };
        Ok(found.into_iter().enumerate().map(item).collect())
    }
}

/// Which one is meant where one is pinned: the first certificate. A key in front of it, as in chain
/// files, is its own.
pub(super) fn pinned(found: &[Subject]) -> usize {
    found.iter().position(|it| it.certificate().is_some()).unwrap_or(0)
}

/// What stands in PEM or DER, never empty; or why nothing can be said of it, and what makes something
/// of it that can.
pub(super) fn all(file: &str, bytes: &[u8]) -> Result<Vec<Subject>, String> {
    if let Some(it) = certificate::subject_of_der(bytes) {
        return Ok(vec![it]);
    }
    subjects(bytes).map_err(|Unreadable(why)| {
        let is_encrypted = pem::read(bytes).flatten().any(|it| it.is_encrypted());
        let to_pem = Binary::of(bytes).and_then(Binary::to_pem);
        match to_pem {
            Some(command) => format!("{why}: \"openssl {command} -in {file}\" makes PEM of it"),
            None if is_encrypted => {
                format!("{why}: \"openssl pkey -pubout -in {file}\" makes its public key")
            }
            None => why,
        }
    })
}

fn read(host: &dyn Host, path: &Path) -> Result<Vec<u8>, String> {
    if path == Path::new("-") {
        return standard_input().map_err(|Stop(why)| why);
    }
    host.read(path).map_err(|error| load::why_unread(&error))
}

/// Says of each certificate that is pinned who trusts it, with those behind it in its file.
fn judge(items: &mut [Item], anchors: &[Anchors], today: u64) {
    for at in 0..items.len() {
        if items[at].is_pinned {
            let behind = items[at].of - items[at].number;
            let chain: Vec<&Subject> =
                items[at..=at + behind].iter().map(|it| &it.subject).collect();
            items[at].trust = trusted::of_chain(anchors, &chain, today);
        }
    }
}

/// What the configuration says.
struct Asked {
    sources: Sources,
    in_force: InForce,
    /// Those whom the client trusts.
    anchors: Vec<Anchors>,
}

/// The digest that the client needs for which there is a policy file, else the one that sends mail
/// to the Internet. What the policy file says of it counts.
fn asked(host: &dyn Host, common: &Common) -> Result<Asked, Stop> {
    let directory = common.directory();
    let nobodys = |why: String| {
        let in_force = InForce::Nobodys { why };
        Ok(Asked { sources: Sources::default(), in_force, anchors: Vec::new() })
    };
    if !host.exists(&directory.join("main.cf")) {
        let path = directory.join("main.cf");
        return if common.named_directory().is_some() {
            Err(Stop(format!("{}: there is no such file", path.display())))
        } else {
            nobodys(format!("there is no {}", path.display()))
        };
    }
    let request: Request<'_> = common.request(host, &directory);
    let mut bare = match load::load_bare(host, &request) {
        Ok(bare) => bare,
        Err(Stop(why)) if common.named_directory().is_none() => return nobodys(why),
        Err(stop) => return Err(stop),
    };
    let policy = match bare.loader.policy() {
        Ok(policy) => policy,
        Err(Stop(why)) if common.named_directory().is_none() => return nobodys(why),
        Err(stop) => return Err(stop),
    };
    let (known, place, anchors) = {
        let mut context = Context::new(&bare.loader.sources, bare.main_cf, bare.build.clone());
        if let Some(master_cf) = bare.master_cf {
            context.add_services(master_cf);
        }
        if let Some(policy) = &policy {
            context.add_policies(&policy.policies, &policy.problems);
        }
        let Some(effective) = context.views().last() else {
            return nobodys("main.cf cannot be read".to_owned());
        };
        let client = match &policy {
            Some(policy) => context.client(policy.policies.table.client()),
            None => {
                let clients = effective.tls_clients();
                let usual = clients.iter().find(|it| it.is_default_transport());
                let usual = usual.copied().unwrap_or_else(|| effective.tls_client("smtp"));
                PolicyClient::new(&effective, usual)
            }
        };
        let place = answering::place_of(&client, &effective, "tls_fingerprint_digest");
        let anchors = trusted::of_client(host, &request, &client).into_iter().collect();
        (client.client.known_digest().ok_or(client.client.digest), place, anchors)
    };
    let in_force = match known {
        Ok(digest) => InForce::Known { digest, place },
        Err(name) => InForce::Other { name, place },
    };
    Ok(Asked { sources: bare.loader.sources, in_force, anchors })
}
