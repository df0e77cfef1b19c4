//! What a finding is known by from one run to the next, while lines move.
//!
//! It is made of the rule, the file's name and what stands in the lines that the finding marks,
//! not of their numbers: what is inserted above changes nothing. Two findings that have all of
//! this in common are told apart by their order. It is a digest, so that it gives no password away.

use std::collections::HashMap;
use std::fmt::Write;

use sha2::{Digest as _, Sha256};

use crate::finding::Finding;
use crate::text::Sources;

/// One for each finding: 32 hexadecimal digits, unlike all others of the same run.
pub fn identities<'f>(
    findings: impl IntoIterator<Item = (&'f Sources, &'f Finding)>,
) -> Vec<String> {
    let mut known: HashMap<[u8; 32], u32> = HashMap::new();
    let of = |(sources, finding): (&Sources, &Finding)| {
        let alike = alike(sources, finding);
        let order = known.entry(alike).or_default();
        *order += 1;
        let digest = Sha256::new().chain_update(alike).chain_update(order.to_be_bytes());
        digest.finalize()[..16].iter().fold(String::with_capacity(32), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    };
    findings.into_iter().map(of).collect()
}

/// The digest of what the finding says about which text, blanks at the ends of lines aside.
fn alike(sources: &Sources, finding: &Finding) -> [u8; 32] {
    let source = sources.of(finding.primary.span);
    let mut digest = Sha256::new();
    for part in [finding.rule, source.name()] {
        digest.update(part);
        digest.update([0]);
    }
    let span = finding.primary.span;
    for line in source.line_index(span.start)..=source.line_index(span.end.max(span.start)) {
        digest.update(source.bytes()[source.line_range(line)].trim_ascii());
        digest.update(b"\n");
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Label, Severity};
    use crate::text::Span;

    fn known(text: &str, places: &[usize]) -> Vec<String> {
        let mut sources = Sources::default();
        let id = sources.add("main.cf", text.as_bytes().to_vec());
        let finding = |at: &usize| Finding {
            rule: "some-rule",
            severity: Severity::Error,
            summary: "",
            primary: Label { span: Span::new(id, *at..*at + 1), text: at.to_string() },
            related: Vec::new(),
            help: None,
            fix: None,
        };
        let findings: Vec<Finding> = places.iter().map(finding).collect();
        identities(findings.iter().map(|it| (&sources, it)))
    }

    #[test]
    fn a_finding_is_known_again_where_lines_have_moved_and_not_where_they_are_others() {
        let before = known("a = b\nc = d\na = b\n", &[0, 6, 12]);
        assert_eq!(known("\n# new\na = b \nc = d\na = b\n", &[7, 14, 20]), before);
        let other = known("a = x\nc = d\na = b\n", &[0, 6, 12]);
        assert_ne!(other[0], before[0]);
        assert_eq!(other[1], before[1]);
        // The second of two alike is the first now.
        assert_eq!(other[2], before[0]);
        assert_eq!(before.iter().collect::<std::collections::HashSet<_>>().len(), 3);
        assert!(before.iter().all(|it| it.len() == 32));
    }
}
