//! The certificates that smtpd(8) shows: those of its chain files or certificate files, and those of
//! the names in tls_server_sni_maps.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, PathBuf};

use crate::certificate::load::{self as loading, Loading};
use crate::certificate::{Certificate, Subject, pem};
use crate::cli::load::{self, DEFAULT_DIRECTORY, Request};
use crate::config::{self, Effective, Port, ServerTls, TableKind, Within, texthash};
use crate::host::Host;
use crate::report::publish::{Key, State};
use crate::syntax::lists::{self, COMMA_SPACE};

/// A server that others can reach, and that offers TLS.
pub(super) struct Server {
    /// As `postconf -M` names it, such as `smtp/inet`.
    pub(super) service: String,
    /// Where it listens; `None`: there is no master.cf that could say.
    ports: Option<Port>,
    /// What it shows to clients that ask for no name of the list below.
    keys: Vec<Key>,
    /// What it shows to those that ask for a name, or for one below a domain: `.example.com`.
    by_name: Vec<(String, Vec<Key>)>,
}

impl Server {
    pub(super) fn listens_on(&self, port: Port) -> bool {
        self.ports.is_none_or(|it| it == port)
    }

    /// The names that it has keys of their own for.
    pub(super) fn names(&self) -> impl Iterator<Item = String> {
        self.by_name.iter().filter(|it| !it.0.starts_with('.')).map(|it| it.0.clone())
    }

    /// What it shows to those that ask for this name (`tls/tls_misc.c`: the name, then its domains).
    pub(super) fn keys(&self, name: &str) -> &[Key] {
        let dots = name.match_indices('.').map(|(at, _)| &name[at..]);
        let mut asked = std::iter::once(name).chain(dots);
        let own = asked.find_map(|name| self.by_name.iter().find(|it| it.0 == name));
        own.map_or(&self.keys, |it| &it.1)
    }
}

/// All of them; what cannot be had is said.
pub(super) fn servers(
    host: &dyn Host,
    request: &Request<'_>,
    effective: &Effective<'_>,
    warnings: &mut Vec<String>,
) -> Vec<Server> {
    let queue_directory = effective.value("queue_directory", Within::Main).0.unwrap_or_default();
    let queue_directory = PathBuf::from(OsStr::from_bytes(&queue_directory));
    let mut reader = Reader { host, request, queue_directory, warnings };
    let mut found = Vec::new();
    for server in effective.servers() {
        match server.tls {
            ServerTls::Off => continue,
            ServerTls::Opportunistic | ServerTls::Mandatory => {}
        }
        // Nobody outside can reach it; what stands behind postscreen(8) is no service of that kind.
        if server.is_local() && matches!(server.within, Within::Service(_)) {
            continue;
        }
        let (service, ports) = match server.within {
            Within::Main => ("smtpd".to_owned(), None),
            Within::Service(scope) => {
                let name = String::from_utf8_lossy(&scope.name).into_owned();
                // postscreen(8) hands over the clients of port 25.
                (name, Some(server.port().unwrap_or(Port::Smtp)))
            }
        };
        let keys = reader.keys(&files(&server));
        let by_name = reader.by_name(effective, server.within);
        found.push(Server { service, ports, keys, by_name });
    }
    found
}

/// The files that a server or a name has, and in which way.
enum Files {
    /// Key, certificate, issuers, again and again.
    Chain(Vec<Vec<u8>>),
    /// Pairs of a file with a certificate and its issuers, and a file with its key.
    Pairs(Vec<(Vec<u8>, Vec<u8>)>),
}

fn files(server: &config::Server<'_>) -> Files {
    let chain = words(&server.value("smtpd_tls_chain_files"));
    if !chain.is_empty() {
        return Files::Chain(chain);
    }
    let pair = |kind: &str| {
        let certificate = server.value(&format!("smtpd_tls_{kind}cert_file"));
        let key = server.value(&format!("smtpd_tls_{kind}key_file"));
        // "none" is for servers without a certificate.
        let is_one = !certificate.is_empty() && !certificate.eq_ignore_ascii_case(b"none");
        is_one.then_some((certificate, key))
    };
    Files::Pairs(["", "d", "ec"].into_iter().filter_map(pair).collect())
}

fn words(text: &[u8]) -> Vec<Vec<u8>> {
    lists::words(text, COMMA_SPACE).map(|it| text[it].to_vec()).collect()
}

/// A file and what it is called.
struct Read {
    name: String,
    bytes: Option<Vec<u8>>,
}

struct Reader<'r> {
    host: &'r dyn Host,
    request: &'r Request<'r>,
    queue_directory: PathBuf,
    warnings: &'r mut Vec<String>,
}

impl Reader<'_> {
    /// The keys that Postfix has from these files.
    fn keys(&mut self, files: &Files) -> Vec<Key> {
        match files {
            Files::Chain(names) => {
                let files: Vec<Read> = names.iter().map(|it| self.read(it)).collect();
                let bytes: Option<Vec<&[u8]>> =
                    files.iter().map(|it| it.bytes.as_deref()).collect();
                let loaded = bytes.map(|it| loading::chain_files(&it));
                let found = self.leaves(&files);
                self.loaded(found, &files, loaded)
            }
            Files::Pairs(pairs) => {
                let mut keys = Vec::new();
                for (certificate, key) in pairs {
                    // The certificate is enough; that the key is there is a matter of lint.
                    let files = [self.read(certificate)];
                    let key = self.path(key).ok().and_then(|it| self.host.read(&it).ok());
                    let both = files[0].bytes.as_deref().zip(key.as_deref());
                    let loaded = both.map(|(it, key)| loading::certificate_and_key(it, key));
                    let found = self.leaves(&files);
                    keys.extend(self.loaded(found, &files, loaded));
                }
                keys
            }
        }
    }

    /// Those that Postfix loads, where that is known.
    fn loaded(&mut self, found: Vec<Key>, files: &[Read], loaded: Option<Loading>) -> Vec<Key> {
        let Some(loaded) = loaded else { return found };
        for problem in loaded.problems.iter().filter(|it| it.kind.switches_tls_off()) {
            let name = files.get(problem.file).or(files.last()).map_or("", |it| &it.name);
            let what = "Postfix switches TLS off, so do not publish it before that is mended";
            self.warn(format!("{name}: {}; {what}", problem.text));
        }
        if loaded.identities.is_empty() {
            return found;
        }
        let is_shown = |key: &Key| {
            let certificate = key.subject.certificate();
            loaded.identities.iter().any(|it| Some(&it.certificate) == certificate)
        };
        found.into_iter().filter(is_shown).collect()
    }

    /// The certificates that keys belong to: the first one, and the first behind each key. A file that
    /// cannot be read may have a key.
    fn leaves(&mut self, files: &[Read]) -> Vec<Key> {
        let mut keys = Vec::new();
        let mut is_next = true;
        for Read { name, bytes } in files {
            let Some(bytes) = bytes else {
                is_next = true;
                continue;
            };
            let Ok(blocks) = pem::blocks(bytes) else {
                self.warn(format!("{name}: it is not well-formed PEM"));
                continue;
            };
            for block in blocks {
                let is_key = block.label.ends_with(b"PRIVATE KEY");
                let is_certificate = block.label.ends_with(b"CERTIFICATE");
                if is_certificate && is_next {
                    match Certificate::parse(&block.der) {
                        Ok(it) => keys.push(Key {
                            state: State::Current,
                            file: name.clone(),
                            subject: Subject::from(it),
                        }),
                        Err(_) => self.warn(format!("{name}: it holds a malformed certificate")),
                    }
                }
                is_next = is_key || is_next && !is_certificate;
            }
        }
        keys
    }

    /// What the rows of tls_server_sni_maps name.
    fn by_name(
        &mut self,
        effective: &Effective<'_>,
        within: Within<'_>,
    ) -> Vec<(String, Vec<Key>)> {
        let mut found: Vec<(String, Vec<Key>)> = Vec::new();
        for table in effective.tables("tls_server_sni_maps", within) {
            match table.kind {
                TableKind::Indexed | TableKind::Texthash => {}
                TableKind::Other => {
                    self.warn(format!("{}: postls does not read tables of this type", table.text));
                    continue;
                }
            }
            let rows = self.read(table.name.as_bytes()).bytes.unwrap_or_default();
            for (name, files) in texthash(&rows, effective.main.environment.build.version, false) {
                let name = String::from_utf8_lossy(&name).to_ascii_lowercase();
                // The first table that has a name counts.
                if !found.iter().any(|it| it.0 == name) {
                    found.push((name, self.keys(&Files::Chain(words(&files)))));
                }
            }
        }
        found
    }

    fn read(&mut self, name: &[u8]) -> Read {
        let shown = String::from_utf8_lossy(name).into_owned();
        let bytes = self
            .path(name)
            .and_then(|path| self.host.read(&path).map_err(|error| load::why(&error)));
        let bytes = match bytes {
            Ok(bytes) => Some(bytes),
            Err(why) => {
                self.warn(format!("{shown}: {why}"));
                None
            }
        };
        Read { name: shown, bytes }
    }

    /// Where a file is. In a copy of a configuration only files of the copy are meant.
    fn path(&self, name: &[u8]) -> Result<PathBuf, String> {
        let directory = &self.request.directory;
        let inside = name.strip_prefix(b"$config_directory/").map(OsStr::from_bytes);
        let path =
            inside.map_or_else(|| PathBuf::from(OsStr::from_bytes(name)), |it| directory.join(it));
        if self.request.is_live(self.host) {
            // Daemons stand in the queue directory.
            return Ok(self.queue_directory.join(path));
        }
        let copied = path.strip_prefix(DEFAULT_DIRECTORY).map(|it| directory.join(it));
        let path = copied.unwrap_or(path);
        let leaves_it = path.components().any(|it| it == Component::ParentDir);
        if path.starts_with(directory) && !leaves_it {
            Ok(path)
        } else {
            Err("it is no file of this copy of a configuration; --host takes it from this host"
                .to_owned())
        }
    }

    fn warn(&mut self, text: String) {
        self.warnings.push(text);
    }
}
