//! All files with certificates and keys that the configuration names for programs that use TLS.

use std::ops::Range;

use super::Context;
use crate::config::{CertificateUse, Effective, Form, NamedFile, ServerTls, sni_files};
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

/// What main.cf and master.cf name, as they are and as they will be, and the rows of
/// `tls_server_sni_maps`; each once.
pub(super) fn all(context: &Context<'_>) -> Vec<NamedCertificate> {
    let mut found: Vec<NamedCertificate> = Vec::new();
    for view in context.views() {
        let named = view.certificate_uses(context.sources).into_iter();
        let named = named.map(|files| NamedCertificate { files, is_sni: false });
        let rows = if serves(&view) { rows(context) } else { Vec::new() };
        let rows = rows.into_iter().map(|files| NamedCertificate { files, is_sni: true });
        for it in named.chain(rows) {
            if !found.iter().any(|known| known.files.files == it.files.files) {
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
