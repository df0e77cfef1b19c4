//! Whom policies trust to sign certificates: files, read once.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

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

/// The authorities of a client.
pub(super) struct Authorities {
    certificates: Vec<Certificate>,
    system: System,
    /// Why the client has no TLS at all: OpenSSL does not take its file of authorities (`tls_client_init`).
    pub(super) trouble: Option<String>,
    /// What could not be looked at, and why.
    unread: Vec<(String, String)>,
}

impl Authorities {
    pub(super) fn read(reading: &Reading<'_>, client: &Client) -> Authorities {
        let value = |parameter: &str| {
            let found = client.trust.iter().find(|it| it.parameter == parameter);
            found.map(|it| it.value.as_str())
        };
        let system = match value("tls_append_default_CA") {
            Some(_) => System::Asked,
            None => System::NotAsked,
        };
        let (certificates, unread) = (Vec::new(), Vec::new());
        let mut them = Authorities { certificates, system, trouble: None, unread };
        if let Some(path) = value("tls_CAfile") {
            match reading.bytes(path) {
                Ok(bytes) => match bytes.and_then(|it| trust::ca_file(&it).map_err(|it| it.text)) {
                    Ok(certificates) => them.certificates = certificates,
                    Err(why) => {
                        let name = client.name;
                        them.trouble = Some(format!("{name}_tls_CAfile = {path}: {why}"));
                    }
                },
                Err(why) => them.unread.push((path.to_owned(), why)),
            }
        }
        if let Some(path) = value("tls_CApath") {
            match reading.names(path) {
                Ok(names) => {
                    let links = trust::hash_links(names.iter().map(Vec::as_slice));
                    for (hash, number) in links {
                        let file = Path::new(path).join(format!("{hash:08x}.{number}"));
                        let bytes =
                            reading.bytes(&file.to_string_lossy()).ok().and_then(Result::ok);
                        // A broken one is passed over.
                        let read = bytes.and_then(|it| trust::ca_file(&it).ok());
                        them.certificates.extend(read.unwrap_or_default());
                    }
                }
                Err(why) => them.unread.push((path.to_owned(), why)),
            }
        }
        them
    }
}

/// Where files are read.
pub(super) struct Reading<'r> {
    pub(super) host: &'r dyn Host,
    pub(super) request: &'r Request<'r>,
}

impl Reading<'_> {
    fn files(&self) -> Files {
        if self.request.is_live(self.host) { Files::Live } else { Files::Copy }
    }

    /// What a file holds, or what is wrong with it; the outer error: why that is not known.
    fn bytes(&self, path: &str) -> Result<Result<Arc<[u8]>, String>, String> {
        let Reading { host, request } = self;
        match load_certificates::bytes(*host, request, self.files(), path.as_bytes())? {
            Answer::Bytes(bytes) => Ok(Ok(bytes)),
            _ => Ok(Err("there is no such file".to_owned())),
        }
    }

    fn names(&self, path: &str) -> Result<Arc<[Vec<u8>]>, String> {
        let Reading { host, request } = self;
        match load_certificates::names(*host, request, self.files(), path.as_bytes())? {
            Answer::Names(names) => Ok(names),
            _ => Err("there is no such directory".to_owned()),
        }
    }
}

/// All that connections need.
pub(super) struct Trusted<'t> {
    at: i64,
    version: Version,
    anchors: HashMap<&'t str, Anchors>,
    stores: HashMap<(u32, u32), (Store, Option<Store>)>,
    /// Files that could not be used, and why.
    pub(super) unread: Vec<(String, String)>,
}

impl<'t> Trusted<'t> {
    /// Reads the files of all that is wanted. `at`: seconds since 1970-01-01 UTC.
    pub(super) fn read(
        reading: &Reading<'_>,
        authorities: &Authorities,
        version: Version,
        wanted: impl Iterator<Item = &'t Wanted>,
        at: i64,
    ) -> Trusted<'t> {
        let mut trusted = Trusted {
            at,
            version,
            anchors: HashMap::new(),
            stores: HashMap::new(),
            unread: authorities.unread.clone(),
        };
        for wanted in wanted {
            for path in &wanted.anchors {
                if trusted.anchors.contains_key(path.as_str()) {
                    continue;
                }
                let bytes = reading.bytes(path).and_then(|it| it);
                let read = bytes.and_then(|it| {
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
                && let Some(own) = Store::new(&authorities.certificates, authorities.system, &terms)
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
