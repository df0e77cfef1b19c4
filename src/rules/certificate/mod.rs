//! The certificates and keys that Postfix proves itself with, and the authorities that it trusts.

use std::sync::Arc;

use crate::certificate::load::{self, Identity, Loading, Pair, Problem, ProblemKind};
use crate::certificate::{Certificate, pem};
use crate::config::{CertificateUse, Form, NamedFile};
use crate::lint::seen::Found;
use crate::lint::{Context, Findings, NamedCertificate};
use crate::policy::Date;
use crate::text::{Span, shortened};

rules! {
    ca_file_unusable,
    ca_path_without_hashes,
    certificate_expired,
    certificate_expires_soon,
    certificate_file_missing,
    certificate_malformed,
    certificate_name_mismatch,
    certificate_not_in_file,
    certificate_not_pem,
    certificate_not_yet_valid,
    certificate_purpose_mismatch,
    certificate_replaced,
    certificate_version_1,
    chain_has_root,
    chain_incomplete,
    chain_key_not_first,
    chain_order,
    chain_second_of_one_kind,
    dh_file_unusable,
    key_encrypted,
    key_mismatch,
    key_not_in_file,
    key_permissions,
    key_unusable,
    own_authority_only,
    pem_block_passed_over,
    weak_key,
    weak_signature,
}

const SECONDS_A_DAY: i64 = 24 * 60 * 60;

/// What a program proves itself with, and what becomes of it.
struct Loaded<'c> {
    named: &'c CertificateUse,
    /// What each file holds.
    bytes: Vec<Arc<[u8]>>,
    loading: Loading,
    /// Whether a row of `tls_server_sni_maps` names the files, for clients that ask for a name.
    is_sni: bool,
}

impl Loaded<'_> {
    /// The file that a certificate stands in.
    fn file_of(&self, certificate: &Certificate) -> &NamedFile {
        let holds = |bytes: &Arc<[u8]>| {
            let mut blocks = pem::read(bytes).filter_map(Result::ok);
            blocks.any(|it| it.der.starts_with(certificate.der()))
        };
        &self.named.files[self.bytes.iter().position(holds).unwrap_or(0)]
    }

    /// Where a server names the file that a certificate stands in.
    fn span_of(&self, certificate: &Certificate) -> Span {
        self.file_of(certificate).span
    }

    fn is_server(&self) -> bool {
        matches!(self.named.program, "smtpd" | "tlsproxy")
    }

    /// All certificates that are sent, each behind the one that it issued.
    fn certificates(&self) -> impl Iterator<Item = (&Identity, &Certificate)> {
        let identities = self.loading.identities.iter();
        identities.flat_map(|it| all_of(it).map(move |one| (it, one)))
    }
}

fn all_of(identity: &Identity) -> impl Iterator<Item = &Certificate> {
    std::iter::once(&identity.certificate).chain(&identity.chain)
}

/// What is named and could be read, as Postfix loads it.
fn loaded<'c>(context: &'c Context<'_>) -> Vec<Loaded<'c>> {
    let mut all = Vec::new();
    for NamedCertificate { files: named, is_sni } in context.certificates() {
        // All are asked for at once, so that one look answers all.
        let bytes: Vec<_> =
            named.files.iter().map(|it| context.files.bytes(&it.path).there()).collect();
        let Some(bytes) = bytes.into_iter().collect::<Option<Vec<_>>>() else { continue };
        let loading = match named.form {
            Form::Chain => load::chain_files(&bytes.iter().map(|it| &**it).collect::<Vec<_>>()),
            Form::Pairs => {
                let pairs = named.files.chunks(2).zip(bytes.chunks(2));
                let pairs: Vec<Pair<'_>> = pairs
                    .filter_map(|(files, bytes)| {
                        let ([own, key], [certificate, of_key]) = (files, bytes) else {
                            return None;
                        };
                        Some(if own.path == key.path {
                            Pair::OneFile(certificate)
                        } else {
                            Pair::Two { certificate, key: of_key }
                        })
                    })
                    .collect();
                load::pairs(&pairs)
            }
        };
        all.push(Loaded { named, bytes, loading, is_sni: *is_sni });
    }
    all
}

/// Reports problems of one kind where the file is named: of a file the first one.
fn report(context: &Context<'_>, findings: &mut Findings, kind: ProblemKind, help: &str) {
    for it in loaded(context) {
        for (at, file) in it.named.files.iter().enumerate() {
            let mut problems = it.loading.problems.iter();
            if let Some(first) = problems.find(|it| it.kind == kind && it.file == at) {
                findings.at(file.span, in_its_line(&it.bytes[at], first)).help(help);
            }
        }
    }
}

/// What is so, and in which line of the file.
fn in_its_line(bytes: &[u8], problem: &Problem) -> String {
    if problem.range.is_empty() || problem.range == (0..bytes.len()) {
        return problem.text.clone();
    }
    let before = bytes.get(..problem.range.start).unwrap_or_default();
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    format!("line {line}: {}", problem.text)
}

/// Looks at each certificate that is sent.
fn each_certificate(
    context: &Context<'_>,
    look: &mut dyn FnMut(&Loaded<'_>, &Identity, &Certificate),
) {
    for it in loaded(context) {
        for (identity, certificate) in it.certificates() {
            look(&it, identity, certificate);
        }
    }
}

/// "the certificate", or whose it is where it is one of those behind it.
fn which(identity: &Identity, certificate: &Certificate) -> String {
    if *certificate == identity.certificate {
        "the certificate".to_owned()
    } else {
        format!(
            "the certificate of the authority \"{}\"",
            shortened(&certificate.subject.to_string())
        )
    }
}

/// The day of a second, for a message.
fn day(seconds: i64) -> String {
    let day = u64::try_from(seconds.div_euclid(SECONDS_A_DAY)).ok().and_then(Date::of_unix_day);
    day.map_or_else(|| "a day without a number".to_owned(), |it| it.to_string())
}

/// The first second of today; `None`: nobody looked at a calendar.
fn now(context: &Context<'_>) -> Option<i64> {
    context.today.map(|it| it.unix_day() * SECONDS_A_DAY)
}

/// Whether somebody looked for a file, and there is none.
fn is_missing(context: &Context<'_>, file: &NamedFile) -> bool {
    match context.files.bytes(&file.path) {
        Found::Missing => true,
        Found::There(_) | Found::Unknown => false,
    }
}
