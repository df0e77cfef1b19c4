//! The files with certificates, keys and authorities that main.cf and the services of master.cf
//! name, and who reads them (`tls/tls_certkey.c`, `tls/tls_server.c`, `tls/tls_client.c`).
//!
//! Only those of programs that use TLS are here: nobody opens the others. Files in lookup tables
//! (`tls_server_sni_maps`, policies) are not here; [`sni_files`] splits a row of the former.
//!
//! Known limit: what tlsproxy(8) does for clients (`tlsproxy_client_*`) is left out.

use super::{Effective, Origin, Server, ServerTls, Within};
use crate::postfix::{self, SecurityLevel, Version};
use crate::syntax::lists::{self, COMMA_SPACE_FLAT};
use crate::text::{Sources, Span};

/// Certificate and key that a program proves itself with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateUse {
    /// `smtpd`, `tlsproxy`, `smtp` or `lmtp`.
    pub program: &'static str,
    /// The service with the values, as `smtp/inet`; `None`: those of main.cf.
    pub service: Option<Vec<u8>>,
    /// What the files are.
    pub form: Form,
    /// In the order in which Postfix reads them; never empty.
    pub files: Vec<NamedFile>,
}

/// How files hold certificate and key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// `*_tls_chain_files`: key, certificate, issuers, again and again, over all files.
    Chain,
    /// `*_tls_cert_file`, `*_tls_dcert_file` and `*_tls_eccert_file`, as far as they are set, each
    /// followed by its key file, which may be the same.
    Pairs,
}

/// A file that a value names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NamedFile {
    /// The parameter that says so; of two where one takes over the other's value, the reader's.
    pub parameter: String,
    /// Its name, expanded. It may begin with `$config_directory`; a relative one is below the queue
    /// directory. Empty where a key file is set to nothing.
    pub path: Vec<u8>,
    /// Where it is named.
    pub span: Span,
}

/// Whom a program trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustUse {
    /// `smtpd`, `smtp` or `lmtp`.
    pub program: &'static str,
    /// What is named.
    pub kind: TrustKind,
    /// The file or directory.
    pub file: NamedFile,
    /// Whether the program's own level, and no table, asks for certificates that it trusts.
    pub is_needed: bool,
    /// Whether nothing else that the program is given names authorities.
    pub is_alone: bool,
}

/// What holds certificates of authorities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustKind {
    /// A file, read when the program starts.
    File,
    /// A directory of files named by the hashes of their subjects, read at each handshake.
    Directory,
    /// A file of `*_tls_trust_anchor_file`, read when a destination needs it.
    AnchorFile,
}

impl Effective<'_> {
    /// What programs prove themselves with, each once. `sources` are those that the files stand in.
    pub fn certificate_uses(&self, sources: &Sources) -> Vec<CertificateUse> {
        let mut found: Vec<CertificateUse> = Vec::new();
        for reader in self.readers() {
            for it in self.certificates_of(&reader, sources) {
                if !found.iter().any(|known| known.form == it.form && known.files == it.files) {
                    found.push(it);
                }
            }
        }
        found
    }

    /// What a server proves itself with; `None`: with nothing.
    pub fn certificate_use(
        &self,
        server: &Server<'_>,
        sources: &Sources,
    ) -> Option<CertificateUse> {
        self.certificates_of(&Reader::of_server(server), sources).pop()
    }

    /// Whom programs trust, each file or directory once for each value that names it.
    pub fn trust_uses(&self, sources: &Sources) -> Vec<TrustUse> {
        let mut found: Vec<TrustUse> = Vec::new();
        for reader in self.readers().iter().filter(|it| it.program != "tlsproxy") {
            let of = |name: &str| self.file_words(&reader.name(name), reader.within, sources);
            let kinds = [
                ("CAfile", TrustKind::File),
                ("CApath", TrustKind::Directory),
                ("trust_anchor_file", TrustKind::AnchorFile),
            ];
            let all = kinds.map(|(name, kind)| (kind, of(name)));
            let count = all.iter().map(|it| it.1.len()).sum::<usize>();
            for (kind, files) in all {
                for file in files {
                    let (program, is_needed) = (reader.program, reader.trusts);
                    let it = TrustUse { program, kind, file, is_needed, is_alone: count == 1 };
                    match found.iter_mut().find(|known| known.kind == kind && known.file == it.file)
                    {
                        Some(known) => known.is_needed |= it.is_needed,
                        None => found.push(it),
                    }
                }
            }
        }
        found
    }

    /// The files with parameters for Diffie-Hellman that servers read, each once.
    pub fn dh_files(&self, sources: &Sources) -> Vec<NamedFile> {
        let servers = self.readers().into_iter().filter(|it| it.program == "smtpd");
        let of =
            |it: Reader<'_>| self.file_words(&it.name("dh1024_param_file"), it.within, sources);
        let mut found: Vec<NamedFile> = servers.flat_map(of).collect();
        found.dedup();
        found
    }

    fn certificates_of(&self, reader: &Reader<'_>, sources: &Sources) -> Vec<CertificateUse> {
        let words = |name: &str| self.file_words(&reader.name(name), reader.within, sources);
        let service = match reader.within {
            Within::Main => None,
            Within::Service(scope) => Some(scope.name.clone()),
        };
        let make = |form, files| CertificateUse {
            program: reader.program,
            service: service.clone(),
            form,
            files,
        };
        let chain = words("chain_files");
        if !chain.is_empty() {
            return vec![make(Form::Chain, chain)];
        }
        let pair = |kind: &str| {
            let certificate = words(&format!("{kind}cert_file")).into_iter().next()?;
            // Anonymous ciphers; any other word is a file below the queue directory.
            if kind.is_empty() && certificate.path.eq_ignore_ascii_case(b"none") {
                return None;
            }
            let name = format!("{kind}key_file");
            let key = words(&name).into_iter().next().unwrap_or_else(|| NamedFile {
                // Set, to nothing: Postfix opens a file without a name.
                parameter: reader.name(&name),
                path: Vec::new(),
                span: self
                    .origin(&reader.name(&name), reader.within)
                    .span()
                    .unwrap_or(certificate.span),
            });
            Some([certificate, key])
        };
        let files: Vec<NamedFile> =
            ["", "d", "ec"].into_iter().filter_map(pair).flatten().collect();
        if files.is_empty() { Vec::new() } else { vec![make(Form::Pairs, files)] }
    }

    /// The programs that use TLS, once for each set of values.
    fn readers(&self) -> Vec<Reader<'_>> {
        let mut readers = Vec::new();
        for server in self.servers() {
            if server.tls != ServerTls::Off {
                readers.push(Reader::of_server(&server));
            }
        }
        // postscreen(8) leaves TLS to it.
        if self.scopes.iter().any(|it| it.program() == b"postscreen") {
            let level = |within| self.value("tlsproxy_tls_security_level", within).0.ok();
            let level = |within| SecurityLevel::parse(&level(within)?);
            for within in self.within(&["tlsproxy"]) {
                if level(within).is_some_and(|it| it != SecurityLevel::None) {
                    let (program, prefix) = ("tlsproxy", "tlsproxy_tls");
                    readers.push(Reader { program, prefix, within, trusts: false });
                }
            }
        }
        for client in self.tls_clients() {
            if client.uses_tls() {
                let needs = |it| matches!(it, SecurityLevel::Verify | SecurityLevel::Secure);
                let prefix = if client.program == "smtp" { "smtp_tls" } else { "lmtp_tls" };
                readers.push(Reader {
                    program: client.program,
                    prefix,
                    within: client.within,
                    trusts: client.level().is_some_and(|it| needs(it.level)),
                });
            }
        }
        readers
    }

    /// The files in a value; none where it cannot be expanded, or is not Postfix's that is asked about.
    fn file_words(&self, name: &str, within: Within<'_>, sources: &Sources) -> Vec<NamedFile> {
        let build = &self.main.environment.build;
        if !postfix::parameter(name).is_some_and(|it| it.exists_in(build)) {
            return Vec::new();
        }
        let Ok(value) = self.value(name, within).0 else { return Vec::new() };
        let paths: Vec<&[u8]> = if name.ends_with("chain_files") || name.ends_with("anchor_file") {
            lists::words(&value, COMMA_SPACE_FLAT).map(|it| &value[it]).collect()
        } else {
            std::iter::once(&value[..]).filter(|it| !it.is_empty()).collect()
        };
        let spans = self.word_spans(name, within, sources, paths.len());
        // Daemons change into it before they read anything.
        let queue = self.value("queue_directory", within).0.unwrap_or_default();
        let whole = |path: &[u8]| match path.first() {
            Some(b'/' | b'$') | None => path.to_vec(),
            Some(_) => [&queue, b"/".as_slice(), path].concat(),
        };
        let has_none = ["smtpd_tls_cert_file", "tlsproxy_tls_cert_file"].contains(&name);
        let is_none = |path: &[u8]| has_none && path.eq_ignore_ascii_case(b"none");
        // OpenSSL chooses; with one before 3.0, which is not known here, it is a file.
        let has_auto = name.ends_with("_dh1024_param_file") && build.version >= Version::new(3, 7);
        let is_word = |path: &[u8]| is_none(path) || (has_auto && path == b"auto");
        let file = |(path, span): (&&[u8], Span)| NamedFile {
            parameter: name.to_owned(),
            path: if is_word(path) { path.to_vec() } else { whole(path) },
            span,
        };
        paths.iter().zip(spans).map(file).collect()
    }

    /// Where each of `count` words of a value stands: all of the value where it comes out of an
    /// expansion, and the value of the other parameter where a default takes it over.
    fn word_spans(
        &self,
        name: &str,
        within: Within<'_>,
        sources: &Sources,
        count: usize,
    ) -> Vec<Span> {
        let whole = match self.origin(name, within) {
            Origin::Set(span) => span,
            Origin::Default => {
                let raw = self.raw(name, within).unwrap_or_default();
                let other = raw.strip_prefix(b"$").and_then(|it| str::from_utf8(it).ok());
                let Some(other) = other.filter(|it| postfix::parameter(it).is_some()) else {
                    return Vec::new();
                };
                return self.word_spans(other, within, sources, count);
            }
        };
        if count < 2 {
            return vec![whole; count];
        }
        let split = |text: &[u8]| lists::words(text, COMMA_SPACE_FLAT).collect::<Vec<_>>();
        let setting = self.main.setting(name).filter(|it| it.value_span() == whole);
        let spans: Vec<Span> = match setting {
            Some(setting) => {
                let words = split(setting.value().text());
                words.into_iter().map(|it| setting.span_in_value(it)).collect()
            }
            None => {
                let (raw, start) =
                    (self.raw(name, within).unwrap_or_default(), whole.range().start);
                let place = |it: std::ops::Range<usize>| {
                    Span::new(whole.source, start + it.start..start + it.end)
                };
                // An escape in the YAML, a comment within: not byte for byte.
                let is_written = sources.bytes(whole) == &raw[..];
                if is_written { split(&raw).into_iter().map(place).collect() } else { Vec::new() }
            }
        };
        if spans.len() == count { spans } else { vec![whole; count] }
    }
}

/// The files that a row of `tls_server_sni_maps` names, as places in its value: read as
/// `smtpd_tls_chain_files` are.
pub fn sni_files(value: &[u8]) -> Vec<std::ops::Range<usize>> {
    lists::words(value, COMMA_SPACE_FLAT).collect()
}

/// A program that reads certificates.
struct Reader<'e> {
    program: &'static str,
    /// What its parameters begin with.
    prefix: &'static str,
    within: Within<'e>,
    /// Whether its level asks for certificates that it trusts.
    trusts: bool,
}

impl<'e> Reader<'e> {
    fn of_server(server: &Server<'e>) -> Reader<'e> {
        let trusts = server.tls == ServerTls::Mandatory && server.is_on("smtpd_tls_req_ccert");
        Reader { program: "smtpd", prefix: "smtpd_tls", within: server.within, trusts }
    }

    fn name(&self, rest: &str) -> String {
        // tlsproxy(8) has no tlsproxy_tls_trust_anchor_file, and no parameter of that name exists.
        format!("{}_{rest}", self.prefix)
    }
}
