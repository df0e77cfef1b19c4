//! What a finding is known by from one run to the next, while lines move.
//!
//! It is made of the rule, the file's name and what stands in the lines that the finding marks,
//! not of their numbers: what is inserted above changes nothing. Two findings that have all of
//! this in common are told apart by their order. It is a digest, so that it gives no password away.

use std::collections::HashMap;
use std::fmt::Write;
use std::ops::RangeInclusive;

use sha2::{Digest as _, Sha256};

use crate::finding::Finding;
use crate::text::{Source, Sources};

/// One for each finding: 32 hexadecimal digits, unlike all others of the same run.
pub fn identities<'f>(
    findings: impl IntoIterator<Item = (&'f Sources, &'f Finding)>,
) -> Vec<String> {
    let mut known: HashMap<[u8; 32], u32> = HashMap::new();
    let mut lines = Lines::default();
    let of = |(sources, finding): (&'f Sources, &Finding)| {
        let alike = alike(&mut lines, sources, finding);
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

/// The digest of what the finding says about which text.
fn alike<'f>(lines: &mut Lines<'f>, sources: &'f Sources, finding: &Finding) -> [u8; 32] {
    let source = sources.of(finding.primary.span);
    let mut digest = Sha256::new();
    for part in [finding.rule, source.name()] {
        digest.update(part);
        digest.update([0]);
    }
    let span = finding.primary.span;
    let (first, last) =
        (source.line_index(span.start), source.line_index(span.end.max(span.start)));
    digest.update(lines.digest(source, first..=last));
    digest.finalize().into()
}

/// The digest of the lines that were marked last. Findings come in the order of their places, and
/// a line may be as long as a file and hold thousands of them.
#[derive(Default)]
struct Lines<'f> {
    last: Option<(&'f Source, RangeInclusive<usize>, [u8; 32])>,
}

impl<'f> Lines<'f> {
    /// Of the text without the blanks at the ends of its lines.
    fn digest(&mut self, source: &'f Source, lines: RangeInclusive<usize>) -> [u8; 32] {
        if let Some((last, its_lines, digest)) = &self.last
            && std::ptr::eq(*last, source)
            && *its_lines == lines
        {
            return *digest;
        }
        let mut digest = Sha256::new();
        for line in lines.clone() {
            digest.update(source.bytes()[source.line_range(line)].trim_ascii());
            digest.update(b"\n");
        }
        let digest = digest.finalize().into();
        self.last = Some((source, lines, digest));
        digest
    }
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

    #[test]
    fn a_line_with_many_findings_is_digested_once() {
        let mut sources = Sources::default();
        let id = sources.add("main.cf", b"a = b\nc = d\n".to_vec());
        let other = sources.add("master.cf", b"a = b\nc = d\n".to_vec());
        let (source, other) = (sources.source(id), sources.source(other));
        // What it remembers is what it says.
        let with = |lines| Lines { last: Some((source, lines, [7; 32])) };
        assert_eq!(with(0..=0).digest(source, 0..=0), [7; 32]);
        assert_ne!(with(0..=0).digest(source, 1..=1), [7; 32]);
        assert_ne!(with(0..=0).digest(source, 0..=1), [7; 32]);
        assert_ne!(with(0..=0).digest(other, 0..=0), [7; 32]);
        let mut lines = Lines::default();
        let digest = lines.digest(source, 0..=0);
        assert_eq!(lines.last.map(|it| (it.1, it.2)), Some((0..=0, digest)));
    }
}
