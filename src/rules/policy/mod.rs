//! Rows of TLS policy tables, and destinations of the policy file.

use std::ops::Range;

use crate::finding::{Fix, Safety, Severity};
use crate::lint::{Context, PolicyProblem, Within};
use crate::policy::row;
use crate::policy::what::Rest;
use crate::postfix::{Protocols, SecurityLevel, Version};
use crate::text::{Edit, Span};

rules! {
    duplicate_pin,
    fingerprint_length_mismatch,
    fingerprint_malformed,
    fingerprint_without_pins,
    placeholder_pin,
    policy_attribute_ineffective,
    policy_attribute_invalid,
    policy_below_wrappermode,
    policy_dane_only_impossible,
    policy_level_invalid,
    policy_match_at_wrong_level,
    policy_name_impossible,
    policy_not_utf8,
    policy_unknown_attribute,
    policy_without_trust_anchor,
    shared_pin,
    single_pin,
}

/// How bad a list's entry is that matches nothing: beside others that do, Postfix gets by.
fn severity(rest: Rest) -> Severity {
    match rest {
        Rest::Nothing => Severity::Error,
        Rest::Something => Severity::Warning,
    }
}

/// A row with more bytes is no policy that somebody wrote.
const LONGEST: usize = 10_000;

/// The fix for a word that was meant to stand in the value before it: `protocols=TLSv1.2,TLSv1.3`.
fn joined_to_the_value_before(context: &Context<'_>, found: PolicyProblem<'_>) -> Option<Fix> {
    let Within::Table(table) = found.within else { return None };
    let span = found.problem.span;
    let bytes = context.sources.source(table.source).bytes();
    let row = &table.table.rows[found.problem.row];
    // Each word of a row looks at all of them.
    if row.range().len() > LONGEST {
        return None;
    }
    let text = row.text(bytes);
    let row = row::parse(text.value());
    let locate = |range: &Range<usize>| Span::new(table.source, text.locate(range.clone()));
    let attributes: Vec<row::Attribute> = row.attributes().collect();
    let at = attributes.iter().position(|it| locate(&it.word) == span)?;
    let behind = attributes[..at].iter().rposition(|it| it.value.is_some())?;
    let word = |range: &Range<usize>| &text.value()[range.clone()];
    let is_protocol = |it: &[u8]| Protocols::parse(it, Version::NEWEST).is_ok();
    let is_name =
        |it: &[u8]| it.contains(&b'.') && row::is_hostname(it.strip_prefix(b".").unwrap_or(it));
    let separator = match (word(&attributes[behind].name), row.security_level()?) {
        (b"protocols", _)
            if attributes[behind..=at].iter().skip(1).all(|it| is_protocol(word(&it.word))) =>
        {
            ":"
        }
        (b"match", SecurityLevel::Verify | SecurityLevel::Secure)
            if attributes[behind..=at].iter().skip(1).all(|it| is_name(word(&it.word))) =>
        {
            ":"
        }
        _ => return None,
    };
    let between = Span { start: locate(&attributes[at - 1].word).end, end: span.start, ..span };
    let is_one_line =
        context.sources.bytes(between).iter().all(|it| matches!(it, b',' | b' ' | b'\t'));
    is_one_line.then(|| Fix {
        safety: Safety::Safe,
        title: format!("separate the words with \"{separator}\""),
        edits: vec![Edit::new(between, separator)],
    })
}

/// The fix that removes a word of a row, with the separators in front of it.
fn removed(context: &Context<'_>, found: PolicyProblem<'_>) -> Option<Fix> {
    let Within::Table(table) = found.within else { return None };
    let span = found.problem.span;
    let bytes = context.sources.source(table.source).bytes();
    let before =
        bytes[..span.range().start].iter().rev().take_while(|it| matches!(it, b',' | b' ' | b'\t'));
    let start = span.range().start - before.count();
    Some(Fix {
        safety: Safety::Safe,
        title: "remove it".to_owned(),
        edits: vec![Edit::new(Span::new(span.source, start..span.range().end), "")],
    })
}
