//! The same pin twice for one destination.

use std::collections::HashMap;

use crate::finding::{Fix, Safety, Severity};
use crate::lint::{Context, Findings, FixKind, PinnedBy, Rule, WrittenPin};
use crate::postfix::Fingerprint;
use crate::syntax::lines;
use crate::text::{Edit, Span};

pub(super) static RULE: Rule = Rule {
    id: "duplicate-pin",
    severity: Severity::Advice,
    summary: "a destination has the same pin twice",
    doc: "
Upper and lower case and, from Postfix 3.6 on, colons make no difference: smtp(8)
compares with the same fingerprint twice. It looks as if there were a second key
that the server may change to, and there is none.

In the policy file the digests of one key belong into one entry, as a list; two
entries are the same pin too if the file of one has the fingerprint of the other.
",
    postfix_says: "",
    fix: FixKind::Sometimes,
    bad: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
smtp_tls_fingerprint_digest = sha1
==> tls_policy <==
example.com fingerprint
    match=AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0:B4:88:CD:9B
    match=ad:f3:c3:68:2b:ce:8d:da:a3:83:ac:84:f6:5b:52:e0:b4:88:cd:9b
#         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the same pin again
",
    good: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
smtp_tls_fingerprint_digest = sha1
==> tls_policy <==
example.com fingerprint
    match=AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0:B4:88:CD:9B
    match=AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0:B4:88:CD:9C
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for destination in context.pinned() {
        let mut known: HashMap<&Fingerprint, Span> = HashMap::new();
        for pin in &destination.pins {
            again_in_itself(pin, findings);
            let first = pin.fingerprints.iter().find_map(|it| known.get(it).copied());
            for fingerprint in &pin.fingerprints {
                known.entry(fingerprint).or_insert(pin.span);
            }
            let Some(first) = first else { continue };
            let finding = findings.at(pin.span, "the same pin again");
            finding.related(first, "the first one");
            match destination.within {
                PinnedBy::Row(_) => {
                    finding.help("take it out");
                    finding.fix = without(context, pin.span);
                }
                PinnedBy::PolicyFile => {
                    finding.help("one entry can have several digests, as a list, and the file");
                }
            }
        }
    }
}

/// A fingerprint that one entry of the policy file has twice.
fn again_in_itself(pin: &WrittenPin<'_>, findings: &mut Findings) {
    let given = pin.pin.map(|it| it.given.as_slice()).unwrap_or_default();
    for (index, again) in given.iter().enumerate() {
        if let Some(first) = given[..index].iter().find(|it| it.value == again.value) {
            let finding = findings.at(again.span, "the same fingerprint again");
            finding.related(first.span, "the first one").help("take it out");
        }
    }
}

/// The fix that takes one fingerprint out of a row; `None`: in braces or quotes.
fn without(context: &Context<'_>, span: Span) -> Option<Fix> {
    let bytes = context.sources.source(span.source).bytes();
    let (start, end) = (span.range().start, span.range().end);
    let range = if bytes[..start].ends_with(b"|") {
        start - 1..end
    } else if bytes[end..].starts_with(b"|") {
        start..end + 1
    } else {
        whole_word(bytes, start, end)?
    };
    Some(Fix {
        safety: Safety::Safe,
        title: "take it out".to_owned(),
        edits: vec![Edit::new(Span::new(span.source, range), "")],
    })
}

/// `match=` with the value that stands there, and what separates it from the word in front; the
/// line, where it has nothing else.
fn whole_word(bytes: &[u8], start: usize, end: usize) -> Option<std::ops::Range<usize>> {
    const NAME: &[u8] = b"match=";
    let word = start.checked_sub(NAME.len())?;
    let is_end = bytes.get(end).is_none_or(|it| matches!(it, b',' | b' ' | b'\t' | b'\r' | b'\n'));
    if !is_end || !bytes[word..start].eq_ignore_ascii_case(NAME) {
        return None;
    }
    let blanks = bytes[..word].iter().rev().take_while(|it| matches!(it, b',' | b' ' | b'\t'));
    let before = word - blanks.count();
    let line_end = lines::line_end(bytes, end);
    let begins_line = before == 0 || bytes[before - 1] == b'\n';
    let ends_line = bytes[end..line_end].iter().all(|it| matches!(it, b',') || it.is_ascii_whitespace());
    match (begins_line, ends_line) {
        (true, true) => Some(before..line_end),
        // What begins the line is what makes it a continuation.
        (true, false) => None,
        (false, _) => Some(before..end),
    }
}
