//! Replacements of text: the only way in which postls changes a file's bytes.

use super::{SourceId, Span};

/// One replaced span. An empty span is an insertion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced.
    pub span: Span,
    /// What stands there afterwards.
    pub text: Vec<u8>,
}

impl Edit {
    /// Replaces `span` by `text`.
    pub fn new(span: Span, text: impl Into<Vec<u8>>) -> Edit {
        Edit { span, text: text.into() }
    }
}

/// Edits of one source: sorted and disjoint by construction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits(Vec<Edit>);

impl Edits {
    /// Takes an edit in, unless it overlaps one that is there already or
    /// belongs to another source; says whether it did.
    pub fn add(&mut self, edit: Edit) -> bool {
        // An insertion stands in front of what is replaced there.
        let order = |span: Span| (span.start, span.end);
        let at = self.0.partition_point(|it| order(it.span) < order(edit.span));
        let before = at.checked_sub(1).map(|before| &self.0[before]);
        let fits = before.is_none_or(|it| it.span.end <= edit.span.start)
            && self
                .0
                .get(at)
                .is_none_or(|it| edit.span.end <= it.span.start && edit.span != it.span)
            && self.0.first().is_none_or(|it| it.span.source == edit.span.source);
        if fits {
            self.0.insert(at, edit);
        }
        fits
    }

    /// The source with the edits made; every other byte as it was.
    pub fn apply(&self, bytes: &[u8]) -> Vec<u8> {
        let mut result = Vec::with_capacity(bytes.len());
        let mut at = 0;
        for edit in &self.0 {
            let range = edit.span.range();
            result.extend_from_slice(&bytes[at..range.start]);
            result.extend_from_slice(&edit.text);
            at = range.end;
        }
        result.extend_from_slice(&bytes[at..]);
        result
    }

    /// Each of them, in the order of the source.
    pub fn iter(&self) -> impl Iterator<Item = &Edit> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The source that they belong to, if there are any.
    pub fn source(&self) -> Option<SourceId> {
        self.0.first().map(|edit| edit.span.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Sources;

    #[test]
    fn edits_are_disjoint_and_leave_the_rest_alone() {
        let mut sources = Sources::default();
        let id = sources.add("x", b"abcdef".to_vec());
        let span = |start, end| Span::new(id, start..end);
        let mut edits = Edits::default();
        assert!(edits.add(Edit::new(span(4, 5), "E")));
        assert!(edits.add(Edit::new(span(0, 2), "")));
        assert!(!edits.add(Edit::new(span(1, 3), "x")), "overlaps the one before");
        assert!(!edits.add(Edit::new(span(3, 5), "x")), "overlaps the one behind");
        assert!(edits.add(Edit::new(span(6, 6), "!")));
        assert!(
            !edits.add(Edit::new(span(6, 6), "?")),
            "two insertions at one place have no order"
        );
        assert_eq!(edits.apply(b"abcdef"), b"cdEf!");
    }
}
