//! The certificates that smtpd(8) shows, and tlsproxy(8) for postscreen(8): those of their chain files
//! or certificate files, and those of the names in tls_server_sni_maps.
//!
//! A certificate is enough: a key that this user may not read keeps nothing from being published.

use crate::certificate::load::{self as loading, Loading, Named, Pair};
use crate::certificate::{Certificate, Subject, pem};
use crate::cli::load::Request;
use crate::cli::load_certificates::{self, Files};
use crate::config::{
    CertificateUse, Effective, Form, NamedFile, Port, ServerTls, TableKind, Within, sni_files,
    texthash,
};
use crate::host::Host;
use crate::lint::seen::Answer;
use crate::report::publish::{Key, State};
use crate::text::Sources;

/// A server that others can reach, and that offers TLS.
pub(super) struct Server {
    /// As `postconf -M` names it, such as `smtp/inet`.
    pub(super) service: String,
    /// Where it listens; `None`: there is no master.cf that could say.
    port: Option<Port>,
    /// What it shows to clients that ask for no name of the list below.
    keys: Vec<Key>,
    /// What it shows to those that ask for a name, or for one below a domain: `.example.com`.
    by_name: Vec<(String, Vec<Key>)>,
}

impl Server {
    pub(super) fn listens_on(&self, port: Port) -> bool {
        self.port.is_none_or(|it| it == port)
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
    sources: &Sources,
    warnings: &mut Vec<String>,
) -> Vec<Server> {
    let files = if request.is_live(host) { Files::Live } else { Files::Copy };
    let mut reader = Reader { host, request, files, warnings };
    let mut found = Vec::new();
    for server in effective.servers() {
        let (service, port) = match server.within {
            Within::Main => ("smtpd".to_owned(), None),
            // Nobody outside can reach it.
            Within::Service(_) if server.is_local() => continue,
            // postscreen(8) hands over the clients of port 25.
            Within::Service(scope) => {
                (name(&scope.name), Some(server.port().unwrap_or(Port::Smtp)))
            }
        };
        match server.tls {
            ServerTls::Off => continue,
            ServerTls::Opportunistic | ServerTls::Mandatory => {}
        }
        let used = effective.certificate_use(&server, sources);
        let keys = used.map(|it| reader.keys_of(&it)).unwrap_or_default();
        let by_name = reader.by_name(effective, server.within);
        found.push(Server { service, port, keys, by_name });
    }
    let all = effective.certificate_uses(sources);
    for used in all.iter().filter(|it| it.program == "tlsproxy") {
        let service = used.service.as_deref().map_or("tlsproxy".to_owned(), name);
        let keys = reader.keys_of(used);
        let by_name = reader.by_name(effective, Within::Main);
        found.push(Server { service, port: Some(Port::Smtp), keys, by_name });
    }
    found
}

fn name(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A file and what it is called.
struct Read {
    name: String,
    bytes: Option<Vec<u8>>,
}

struct Reader<'r> {
    host: &'r dyn Host,
    request: &'r Request<'r>,
    files: Files,
    warnings: &'r mut Vec<String>,
}

impl Reader<'_> {
    /// The keys that Postfix has from the files that a program is given.
    fn keys_of(&mut self, used: &CertificateUse) -> Vec<Key> {
        match used.form {
            Form::Chain => {
                let names: Vec<&[u8]> = used.files.iter().map(|it| &it.path[..]).collect();
                self.keys_of_chain(&names)
            }
            Form::Pairs => self.keys_of_pairs(&used.files),
        }
    }

    /// Each certificate file is followed by its key file.
    fn keys_of_pairs(&mut self, named: &[NamedFile]) -> Vec<Key> {
        let mut files = Vec::new();
        for pair in named.chunks_exact(2) {
            files.push(self.read(&pair[0].path));
            files.push(self.read_in_silence(&pair[1].path));
        }
        let found: Vec<Key> =
            files.iter().step_by(2).flat_map(|it| self.leaves(std::slice::from_ref(it))).collect();
        let all: Option<Vec<Named<'_>>> = (named.iter().zip(&files))
            .map(|(named, read)| Some((named.path.as_slice(), read.bytes.as_deref()?)))
            .collect();
        let pairs = all.map(|it| it.chunks_exact(2).map(|it| Pair::of(it[0], it[1])).collect());
        let loaded = pairs.map(|it: Vec<Pair<'_>>| loading::pairs(&it));
        self.loaded(&files, found, loaded)
    }

    fn keys_of_chain(&mut self, names: &[&[u8]]) -> Vec<Key> {
        let files: Vec<Read> = names.iter().map(|it| self.read(it)).collect();
        let bytes: Option<Vec<&[u8]>> = files.iter().map(|it| it.bytes.as_deref()).collect();
        let loaded = bytes.map(|it| loading::chain_files(&it));
        let found = self.leaves(&files);
        self.loaded(&files, found, loaded)
    }

    /// Those of `found` that Postfix loads, where that is known.
    fn loaded(&mut self, files: &[Read], found: Vec<Key>, loaded: Option<Loading>) -> Vec<Key> {
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
    /// cannot be read may have a key; it may have a key and its certificate too, and what is behind it
    /// is then their issuer's.
    fn leaves(&mut self, files: &[Read]) -> Vec<Key> {
        let mut keys = Vec::new();
        let (mut is_next, mut is_guessed) = (true, false);
        for Read { name, bytes } in files {
            let Some(bytes) = bytes else {
                (is_next, is_guessed) = (true, true);
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
                        Ok(it) if is_guessed && it.is_ca && !it.is_self_issued() => {
                            self.warn(format!(
                                "{name}: it is an issuer's certificate, no server's"
                            ));
                        }
                        Ok(it) => keys.push(Key {
                            state: State::Current,
                            file: name.clone(),
                            subject: Subject::from(it),
                        }),
                        Err(_) => self.warn(format!("{name}: it holds a malformed certificate")),
                    }
                }
                is_next = is_key || is_next && !is_certificate;
                is_guessed &= !is_key;
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
                    let files: Vec<&[u8]> =
                        sni_files(&files).into_iter().map(|it| &files[it]).collect();
                    found.push((name, self.keys_of_chain(&files)));
                }
            }
        }
        found
    }

    /// A key file: the certificate is enough.
    fn read_in_silence(&self, path: &[u8]) -> Read {
        Read { name: load_certificates::shown(path), bytes: self.bytes(path).ok() }
    }

    fn read(&mut self, path: &[u8]) -> Read {
        let name = load_certificates::shown(path);
        let bytes = match self.bytes(path) {
            Ok(bytes) => Some(bytes),
            Err(why) => {
                self.warn(format!("{name}: {why}; what it may hold is not published"));
                None
            }
        };
        Read { name, bytes }
    }

    fn bytes(&self, path: &[u8]) -> Result<Vec<u8>, String> {
        let answer = load_certificates::bytes(self.host, self.request, self.files, path)?;
        let Answer::Bytes(bytes) = answer else {
            return Err("there is no such file".to_owned());
        };
        Ok(bytes.to_vec())
    }

    fn warn(&mut self, text: String) {
        self.warnings.push(text);
    }
}
