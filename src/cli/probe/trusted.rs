//! Whom policies trust to sign certificates: files, read once.

use std::collections::HashMap;
use std::path::Path;

use crate::certificate::store::{Anchors, Store, System, Terms};
use crate::certificate::{Certificate, trust};
use crate::cli::load::Request;
use crate::cli::load_certificates::{self, Files};
use crate::host::Host;
use crate::lint::seen::Answer;
use crate::policy::client::Client;
use crate::policy::effective::{By, EffectivePolicy};
use crate::policy::session::TlsSettings;
use crate::postfix::Version;
use crate::probe::tls::Trust;

/// The parameter whose files replace all authorities.
const ANCHORS: &str = "tls_trust_anchor_file";

/// What a connection needs of this.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Wanted {
    /// The files of trust anchors that are asked instead of the authorities.
    anchors: Vec<String>,
    security_level: u32,
    depth: u32,
}

impl Wanted {
    pub(super) fn new(policy: &EffectivePolicy, tls: &TlsSettings) -> Wanted {
        let replaces = |by: &By| match by {
            By::Row(_) => true,
            By::Parameter(name) => *name == ANCHORS,
        };
        let anchors = policy.trust.iter().filter(|it| replaces(&it.by));
        let separators = |it: char| it == ',' || it.is_ascii_whitespace();
        let names = anchors.flat_map(|it| it.value.split(separators).map(str::to_owned));
        Wanted {
            anchors: names.filter(|it| !it.is_empty()).collect(),
            security_level: tls.security_level,
            depth: tls.verify_depth,
        }
    }
}

/// Why the client has no TLS at all: OpenSSL does not take its file of authorities (`tls_client_init`). In a copy one that
/// is not there may well be where Postfix is.
pub(super) fn engine_trouble(
    host: &dyn Host,
    request: &Request<'_>,
    client: &Client,
) -> Option<String> {
    let file = client.trust.iter().find(|it| it.parameter == "tls_CAfile")?;
    let files = if request.is_live(host) { Files::Live } else { Files::Copy };
    let read = load_certificates::bytes(host, request, files, file.value.as_bytes());
    let why = match read.ok()? {
        Answer::Bytes(bytes) => trust::ca_file(&bytes).err()?.text,
        Answer::Missing => "there is no such file".to_owned(),
        _ => return None,
    };
    Some(format!("{}_tls_CAfile = {}: {why}", client.name, file.value))
}

/// What was read of it.
pub(super) struct Trusted<'t> {
    at: i64,
    version: Version,
    authorities: Vec<Certificate>,
    system: System,
    anchors: HashMap<&'t str, Anchors>,
    stores: HashMap<(u32, u32), (Store, Option<Store>)>,
    /// Files that could not be used, and why.
    pub(super) unread: Vec<(String, String)>,
}

impl<'t> Trusted<'t> {
    /// Reads the files of the client and of all that is wanted. `at`: seconds since 1970-01-01 UTC.
    pub(super) fn read(
        host: &dyn Host,
        request: &Request<'_>,
        client: &Client,
        wanted: impl Iterator<Item = &'t Wanted> + Clone,
        at: i64,
    ) -> Trusted<'t> {
        let files = if request.is_live(host) { Files::Live } else { Files::Copy };
        let value = |parameter: &str| {
            let found = client.trust.iter().find(|it| it.parameter == parameter);
            found.map(|it| it.value.as_str())
        };
        let system = match value("tls_append_default_CA") {
            Some(_) => System::Asked,
            None => System::NotAsked,
        };
        let mut trusted = Trusted {
            at,
            version: client.version,
            authorities: Vec::new(),
            system,
            anchors: HashMap::new(),
            stores: HashMap::new(),
            unread: Vec::new(),
        };
        let bytes =
            |path: &str| match load_certificates::bytes(host, request, files, path.as_bytes())? {
                Answer::Bytes(bytes) => Ok(bytes),
                _ => Err("there is no such file".to_owned()),
            };
        if let Some(path) = value("tls_CAfile") {
            match bytes(path).and_then(|it| trust::ca_file(&it).map_err(|it| it.text)) {
                Ok(certificates) => trusted.authorities.extend(certificates),
                Err(why) => trusted.unread.push((path.to_owned(), why)),
            }
        }
        if let Some(path) = value("tls_CApath") {
            match load_certificates::names(host, request, files, path.as_bytes()) {
                Ok(Answer::Names(names)) => {
                    let links = trust::hash_links(names.iter().map(Vec::as_slice));
                    for (hash, number) in links {
                        let file = Path::new(path).join(format!("{hash:08x}.{number}"));
                        let read = bytes(&file.to_string_lossy());
                        let read = read.and_then(|it| trust::ca_file(&it).map_err(|it| it.text));
                        trusted.authorities.extend(read.unwrap_or_default());
                    }
                }
                Ok(_) => {
                    trusted.unread.push((path.to_owned(), "there is no such directory".to_owned()));
                }
                Err(why) => trusted.unread.push((path.to_owned(), why)),
            }
        }
        for wanted in wanted {
            for path in &wanted.anchors {
                if trusted.anchors.contains_key(path.as_str()) {
                    continue;
                }
                let read = bytes(path).and_then(|it| {
                    Anchors::of_file(&it).map_err(|_| "it is no PEM file".to_owned())
                });
                let anchors = read.unwrap_or_else(|why| {
                    trusted.unread.push((path.clone(), why));
                    Anchors::default()
                });
                trusted.anchors.insert(path, anchors);
            }
            let terms = trusted.terms(wanted);
            let key = (wanted.security_level, wanted.depth);
            if !trusted.stores.contains_key(&key)
                && let Some(own) = Store::new(&trusted.authorities, trusted.system, &terms)
            {
                let of_system = Store::new(&[], System::Asked, &terms);
                trusted.stores.insert(key, (own, of_system));
            }
        }
        trusted
    }

    fn terms(&self, wanted: &Wanted) -> Terms {
        Terms { security_level: wanted.security_level, depth: wanted.depth, at: self.at }
    }

    /// What was read for one connection; `None`: OpenSSL has no room for it.
    pub(super) fn of(&self, wanted: &Wanted) -> Option<Trust> {
        let (authorities, system) = self.stores.get(&(wanted.security_level, wanted.depth))?;
        let mut anchors = Anchors::default();
        for it in wanted.anchors.iter().filter_map(|it| self.anchors.get(it.as_str())) {
            anchors.certificates.extend(it.certificates.iter().cloned());
            anchors.keys.extend(it.keys.iter().cloned());
        }
        Some(Trust {
            authorities: authorities.clone(),
            anchors: (!wanted.anchors.is_empty()).then_some(anchors),
            system: system.clone(),
            terms: self.terms(wanted),
            version: self.version,
        })
    }
}
