//! Names and values in main.cf.

use crate::config::ReadValue;
use crate::finding::{Fix, Safety, Severity};
use crate::lint::{Context, Findings};
use crate::postfix::Type;
use crate::text::{Edit, shortened};

rules! {
    boolean_invalid,
    bounce_lifetime_too_long,
    braces_unbalanced,
    compatibility_level_invalid,
    deprecated_parameter,
    directory_not_absolute,
    domain_in_two_classes,
    duplicate_parameter,
    hostname_invalid,
    inet_protocols_invalid,
    ipv6_address_unbracketed,
    mailbox_limit_too_small,
    mynetworks_style_invalid,
    myorigin_invalid,
    number_invalid,
    number_out_of_range,
    proxied_table_not_approved,
    read_only_parameter,
    relayhost_is_myhostname,
    table_after_static,
    table_listed_twice,
    table_name_malformed,
    table_path_relative,
    table_type_missing,
    time_invalid,
    time_out_of_range,
    undefined_parameter,
    undefined_restriction_class,
    unsupported_table_type,
    unused_parameter,
    value_empty,
    value_unexpandable,
    word_invalid,
}

/// The values of these kinds that are set, as they are and as the policy file wants them, without
/// those with a comment behind, which is a finding of its own.
fn read_values(context: &Context<'_>, kinds: &[Type]) -> Vec<ReadValue> {
    let mut found: Vec<ReadValue> = Vec::new();
    for value in context.views().flat_map(|it| it.read_values(kinds)) {
        let written = context.sources.bytes(value.span);
        let commented =
            written.starts_with(b"#") || written.windows(2).any(|it| matches!(it, b" #" | b"\t#"));
        let known = found.iter().any(|it| it.span == value.span && it.value == value.value);
        if !commented && !known {
            found.push(value);
        }
    }
    found
}

/// Says that a program stops at this value, and what to write.
fn refused(findings: &mut Findings, it: &ReadValue, text: String, fix: Option<Fix>) {
    let readers = it.limit.readers.shown();
    let one = it.limit.readers.programs().filter(|it| *it != "oqmgr").count() == 1;
    let (severity, help) = match (it.is_read, one) {
        (true, _) if readers.starts_with("every") => {
            (Severity::Error, format!("{readers} stops at it"))
        }
        (true, true) => (Severity::Error, format!("{readers} stops at it, as soon as it starts")),
        (true, false) => (Severity::Error, format!("{readers} stop at it, as soon as they start")),
        (false, _) => {
            (Severity::Warning, format!("{readers} would stop at it; no service runs that here"))
        }
    };
    findings.milder(severity, it.span, text).help(help).fix = fix;
}

/// Puts a value in the place of what stands there, where Postfix has it from there.
fn written(context: &Context<'_>, it: &ReadValue, value: &str) -> Option<Fix> {
    let files = context.postfix_files();
    let here = files.contains(&it.span.source) && context.sources.bytes(it.span) == it.value;
    here.then(|| Fix {
        safety: Safety::Safe,
        title: format!("write {value}"),
        edits: vec![Edit::new(it.span, value)],
    })
}

/// A value for a message.
fn shown(value: &[u8]) -> String {
    format!("\"{}\"", shortened(&String::from_utf8_lossy(value)))
}

/// A value without the quotes around it, if there are any.
fn unquoted(value: &[u8]) -> &[u8] {
    let inner = |quote: u8| value.strip_prefix(&[quote])?.strip_suffix(&[quote]);
    inner(b'"').or_else(|| inner(b'\'')).unwrap_or(value).trim_ascii()
}
