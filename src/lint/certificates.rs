//! All files with certificates and keys that the configuration names for programs that use TLS, and
//! what becomes of them.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use foldhash::fast::RandomState;

use super::Context;
use super::seen::{Answer, Question};
use crate::certificate::load::{self, Identity, Loading, Pair};
use crate::certificate::{Certificate, pem};
use crate::config::{
    CertificateUse, Effective, Form, LookupTable, NamedFile, ServerTls, sni_files,
};
use crate::syntax::table::{self, Kind};
use crate::text::Span;

/// Certificate and key that somebody names.
#[derive(Clone, Debug)]
pub struct NamedCertificate {
    /// The files and who reads them.
    pub files: CertificateUse,
    /// Whether a row of `tls_server_sni_maps` names them, for clients that ask for a name.
    pub is_sni: bool,
}

/// What a program proves itself with, and what becomes of it.
pub struct Loaded {
    /// The files and who reads them.
    pub named: CertificateUse,
    /// Whether a row of `tls_server_sni_maps` names them, for clients that ask for a name.
    pub is_sni: bool,
    /// What each file holds.
    pub bytes: Vec<Arc<[u8]>>,
    /// What Postfix ends up with; shared by all that name the same files.
    pub loading: Arc<Loading>,
}

impl Loaded {
    /// Where the file is named that a certificate stands in.
    pub fn span_of(&self, certificate: &Certificate) -> Span {
        let holds = |bytes: &Arc<[u8]>| {
            let mut blocks = pem::read(bytes).filter_map(Result::ok);
            blocks.any(|it| it.der.starts_with(certificate.der()))
        };
        self.named.files[self.bytes.iter().position(holds).unwrap_or(0)].span
    }

    /// Whether a server shows it.
    pub fn is_server(&self) -> bool {
        matches!(self.named.program, "smtpd" | "tlsproxy")
    }

    /// All certificates that are sent, each behind the one that it issued.
    pub fn certificates(&self) -> impl Iterator<Item = (&Identity, &Certificate)> {
        let identities = self.loading.identities.iter();
        identities.flat_map(|it| it.certificates().map(move |one| (it, one)))
    }
}

impl Context<'_> {
    /// Says what files and directories hold.
    pub fn answer(&mut self, question: Question, answer: Answer) {
        self.files.answer(question, answer);
        self.loaded = OnceLock::new();
    }

    /// What programs prove themselves with, as far as the files could be read, as Postfix loads it.
    pub fn loaded(&self) -> &[Loaded] {
        self.loaded.get_or_init(|| {
            // Thousands of SNI rows may name the same files.
            let mut known = HashMap::default();
            self.certificates().iter().filter_map(|it| loaded(self, it, &mut known)).collect()
        })
    }

    /// The certificates and keys that main.cf, master.cf and tables name.
    pub fn certificates(&self) -> &[NamedCertificate] {
        self.certificates.get_or_init(|| all(self))
    }

    /// The table that a word of main.cf or master.cf names, if it could be read.
    pub fn lookup_table(&self, text: &[u8]) -> Option<&LookupTable> {
        self.lookups.iter().find(|it| it.text == text)
    }
}

/// Loadings by what the files are and by their names.
type Known<'c> = HashMap<(Form, Vec<&'c [u8]>), Arc<Loading>, RandomState>;

fn loaded<'c>(
    context: &Context<'_>,
    named: &'c NamedCertificate,
    known: &mut Known<'c>,
) -> Option<Loaded> {
    let files = &named.files.files;
    // A file without a name cannot be opened.
    if files.iter().any(|it| it.path.is_empty()) {
        return None;
    }
    // All are asked for at once, so that one look answers all.
    let bytes: Vec<_> = files.iter().map(|it| context.files.bytes(&it.path).there()).collect();
    let bytes = bytes.into_iter().collect::<Option<Vec<_>>>()?;
    let named_file = |at: usize| (files[at].path.as_slice(), &*bytes[at]);
    let pair = |at: usize| Pair::of(named_file(at), named_file(at + 1));
    let load = || match named.files.form {
        Form::Chain => load::chain_files(&bytes.iter().map(|it| &**it).collect::<Vec<_>>()),
        Form::Pairs => load::pairs(&(0..files.len()).step_by(2).map(pair).collect::<Vec<_>>()),
    };
    let paths = files.iter().map(|it| it.path.as_slice()).collect();
    let loading = known.entry((named.files.form, paths)).or_insert_with(|| Arc::new(load()));
    Some(Loaded {
        named: named.files.clone(),
        is_sni: named.is_sni,
        bytes,
        loading: Arc::clone(loading),
    })
}

/// What main.cf and master.cf name, as they are and as they will be, and the rows of
/// `tls_server_sni_maps`; each once.
fn all(context: &Context<'_>) -> Vec<NamedCertificate> {
    let mut found: Vec<NamedCertificate> = Vec::new();
    let mut known: HashSet<Vec<NamedFile>, RandomState> = HashSet::default();
    for view in context.views() {
        let named = view.certificate_uses(context.sources).into_iter();
        let named = named.map(|files| NamedCertificate { files, is_sni: false });
        let rows = if serves(&view) { rows(context) } else { Vec::new() };
        let rows = rows.into_iter().map(|files| NamedCertificate { files, is_sni: true });
        for it in named.chain(rows) {
            if known.insert(it.files.files.clone()) {
                found.push(it);
            }
        }
    }
    found
}

/// Whether some server uses TLS.
fn serves(effective: &Effective<'_>) -> bool {
    effective.servers().iter().any(|it| it.tls != ServerTls::Off)
}

/// What the rows of `tls_server_sni_maps` name. postmap and texthash read the files.
fn rows(context: &Context<'_>) -> Vec<CertificateUse> {
    const PARAMETER: &str = "tls_server_sni_maps";
    let mut found = Vec::new();
    for table in context.table_uses().iter().filter(|it| it.parameter == PARAMETER) {
        let Some(table) = context.lookup_table(&table.text) else { continue };
        let bytes = context.sources.source(table.source).bytes();
        for row in table::parse(bytes).rows.iter().filter(|it| it.kind == Kind::Entry) {
            let text = row.text(bytes);
            let file = |word: Range<usize>| NamedFile {
                parameter: PARAMETER.to_owned(),
                path: text.value()[word.clone()].to_vec(),
                span: Span::new(table.source, text.locate(word)),
            };
            let files: Vec<NamedFile> = sni_files(text.value()).into_iter().map(file).collect();
            if !files.is_empty() {
                let (program, form) = ("smtpd", Form::Chain);
                found.push(CertificateUse { program, service: None, form, files });
            }
        }
    }
    found
}
