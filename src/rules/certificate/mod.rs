//! The certificates and keys that Postfix proves itself with, and the authorities that it trusts.

use std::collections::HashSet;
use std::sync::Arc;

use crate::certificate::Certificate;
use crate::certificate::load::{Identity, Problem, ProblemKind};
use crate::config::NamedFile;
use crate::lint::seen::Found;
use crate::lint::{Context, Findings, Loaded};
use crate::policy::Date;
use crate::text::shortened;

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
    sni_table_of_names,
    weak_key,
    weak_signature,
}

/// What is loaded; of all SNI rows that name the same files the first one.
fn distinct<'c>(context: &'c Context<'_>) -> impl Iterator<Item = &'c Loaded> {
    let mut seen = HashSet::new();
    let all = context.loaded().iter();
    all.filter(move |it| !it.is_sni || seen.insert(Arc::as_ptr(&it.loading)))
}

/// Reports problems of one kind where the file is named: of a file the first one.
fn report(context: &Context<'_>, findings: &mut Findings, kind: ProblemKind, help: &str) {
    for it in distinct(context) {
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
fn each_certificate(context: &Context<'_>, look: &mut dyn FnMut(&Loaded, &Identity, &Certificate)) {
    for it in distinct(context) {
        for (identity, certificate) in it.certificates() {
            look(it, identity, certificate);
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
    Date::of_second(seconds)
        .map_or_else(|| "a day without a number".to_owned(), |it| it.to_string())
}

/// The first second of today; `None`: nobody looked at a calendar.
fn now(context: &Context<'_>) -> Option<i64> {
    context.today.map(Date::first_second)
}

/// Whether somebody looked for a file, and there is none.
fn is_missing(context: &Context<'_>, file: &NamedFile) -> bool {
    match context.files.bytes(&file.path) {
        Found::Missing => true,
        Found::There(_) | Found::Unknown => false,
    }
}
