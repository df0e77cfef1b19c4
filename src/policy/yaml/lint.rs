//! `lint:`, what the policy file tells lint about the whole directory.

use super::reader::{Field, Reader};
use super::tree::{Kind, Value};
use crate::finding::Severity;
use crate::policy::{AllowedRule, Date, Lint, Placed, ProblemKind};
use crate::text::{nearest, shortened};

const KNOWN: &[&str] = &["allow", "expires-within", "mx", "severity"];
const ALLOWED: &[&str] = &["reason", "until"];
const SEVERITIES: [Severity; 3] = [Severity::Advice, Severity::Warning, Severity::Error];

pub(super) fn settings(reader: &mut Reader, value: Value<'_>) -> Lint {
    let mut lint = Lint::default();
    for field in reader.fields(value, "lint") {
        match field.name {
            "allow" => {
                for rule in reader.fields(field.value, "allow") {
                    lint.allow.extend(allowed(reader, rule));
                }
            }
            "severity" => {
                for rule in reader.fields(field.value, "severity") {
                    let severity = severity(reader, rule.value);
                    lint.severity.extend(severity.map(|it| (name_of(rule), it)));
                }
            }
            "expires-within" => lint.expires_within = days(reader, field.value),
            "mx" => {
                let names = reader.texts(field.value, "mx").into_iter();
                lint.mx
                    .extend(names.map(|it| Placed { value: it.value.to_owned(), span: it.span }));
            }
            _ => reader.unknown_key(field, "lint", KNOWN),
        }
    }
    lint
}

/// `rule-id: reason`, or `rule-id: {reason: …, until: …}`. Without a reason nothing is allowed.
fn allowed(reader: &mut Reader, field: Field<'_>) -> Option<AllowedRule> {
    let rule = name_of(field);
    if field.value.kind() != Kind::Mapping {
        reader.text(field.value, "the reason")?;
        return Some(AllowedRule { rule, until: None });
    }
    let (mut reason, mut until, mut refused) = (false, None, false);
    for inner in reader.fields(field.value, "an allow") {
        match inner.name {
            "reason" => {
                reason = reader.text(inner.value, "the reason").is_some();
                refused |= !reason;
            }
            "until" => {
                let Some(text) = reader.text(inner.value, "until") else { continue };
                until = Date::parse(text.value);
                if until.is_none() {
                    refused = true;
                    let note = format!("\"{}\" is no day", shortened(text.value));
                    reader.note(ProblemKind::Value, text.span, note).help =
                        Some("write the last day as 2027-01-31".to_owned());
                }
            }
            _ => reader.unknown_key(inner, "an allow", ALLOWED),
        }
    }
    if !reason && !refused {
        let text = format!("\"{}\" is allowed without a reason", shortened(field.name));
        reader.note(ProblemKind::Incomplete, field.key, text).help = Some("say reason:".to_owned());
    }
    (reason && !refused).then_some(AllowedRule { rule, until })
}

fn days(reader: &mut Reader, value: Value<'_>) -> Option<u16> {
    let text = reader.text(value, "expires-within")?;
    let is_number = text.value.bytes().all(|it| it.is_ascii_digit());
    let days = text.value.parse().ok().filter(|_| is_number);
    if days.is_none() {
        let note = format!("\"{}\" is no number of days", shortened(text.value));
        reader.note(ProblemKind::Value, text.span, note).help =
            Some("write the days alone, such as 14".to_owned());
    }
    days
}

fn severity(reader: &mut Reader, value: Value<'_>) -> Option<Severity> {
    let text = reader.text(value, "a severity")?;
    let known = SEVERITIES.into_iter().find(|it| it.name() == text.value);
    if known.is_none() {
        let names = SEVERITIES.map(Severity::name);
        let near =
            nearest(text.value, names.into_iter()).map(|it| format!("did you mean \"{it}\"?"));
        let note = format!("\"{}\" is no severity", shortened(text.value));
        reader.note(ProblemKind::Value, text.span, note).help =
            Some(near.unwrap_or_else(|| names.join(", ")));
    }
    known
}

fn name_of(field: Field<'_>) -> Placed<String> {
    Placed { value: field.name.to_owned(), span: field.key }
}
