//! A YAML document as a flat list of nodes, each with its bytes.
//!
//! 20 bytes a node, no copies of the text unless it has escapes. Aliases are
//! refused where they stand, so that nothing can grow by being referred to,
//! and nesting has a limit. After a syntax error the part before it remains
//! readable.

use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle};

use crate::text::{SourceId, Span, offset};

/// Deeper than any policy file needs.
const MAX_NESTING: usize = 32;

/// A parsed document.
pub(super) struct Tree<'s> {
    text: &'s str,
    source: SourceId,
    nodes: Vec<Node>,
    /// Texts that are not bytes of the source.
    owned: Vec<String>,
}

/// Why the document is not read, or not read to its end.
pub(super) struct SyntaxError {
    pub(super) span: Span,
    pub(super) text: String,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text; `plain` if it has no quotes.
    Scalar {
        /// Whether it is written without quotes.
        plain: bool,
    },
    /// `[a, b]`
    Sequence,
    /// `{a: b}`
    Mapping,
}

struct Node {
    start: u32,
    end: u32,
    /// Index behind the last node inside this one.
    next: u32,
    /// Index into `owned`, or one of the two constants.
    text: u32,
    kind: Kind,
}

/// The text is `start..end` of the source.
const AS_WRITTEN: u32 = u32::MAX;
/// The text is what stands between the quotes.
const INSIDE_QUOTES: u32 = u32::MAX - 1;

/// One node of a tree.
#[derive(Clone, Copy)]
pub(super) struct Value<'t> {
    tree: &'t Tree<'t>,
    index: usize,
}

impl<'s> Tree<'s> {
    /// Reads the first document of `text`.
    pub(super) fn parse(source: SourceId, text: &'s str) -> (Tree<'s>, Option<SyntaxError>) {
        let mut tree = Tree { text, source, nodes: Vec::new(), owned: Vec::new() };
        let error = tree.fill().err();
        tree.close_open_nodes();
        (tree, error)
    }

    /// The outermost node; `None` in an empty document.
    pub(super) fn root(&self) -> Option<Value<'_>> {
        (!self.nodes.is_empty()).then_some(Value { tree: self, index: 0 })
    }

    fn fill(&mut self) -> Result<(), SyntaxError> {
        let options = granit_parser::options! {
            flow_nesting_limit: MAX_NESTING,
            block_nesting_limit: MAX_NESTING,
        };
        let mut open: Vec<usize> = Vec::new();
        let mut documents = 0;
        for event in Parser::new_from_str_with_options(self.text, options) {
            let (event, span) = event.map_err(|error| {
                let at = error.marker().byte_offset().unwrap_or(self.text.len());
                self.error(at, at + 1, error.info())
            })?;
            let range = span.byte_range().unwrap_or(0..0);
            let refuse = |text: &str| Err(self.error(range.start, range.end, text.to_owned()));
            match event {
                Event::DocumentStart(..) => {
                    documents += 1;
                    if documents > 1 {
                        return refuse("a policy file is one document; this begins a second one");
                    }
                }
                Event::Alias(_) => {
                    return refuse("aliases are not read; a profile serves several destinations");
                }
                Event::Scalar(text, style, ..) => {
                    let plain = matches!(style, ScalarStyle::Plain);
                    let text = self.place(&text, range.start, range.end);
                    let next = offset(self.nodes.len() + 1);
                    self.push(range.start, range.end, next, text, Kind::Scalar { plain });
                }
                Event::SequenceStart(..) | Event::MappingStart(..) => {
                    let kind = match event {
                        Event::SequenceStart(..) => Kind::Sequence,
                        _ => Kind::Mapping,
                    };
                    open.push(self.nodes.len());
                    self.push(range.start, range.end, 0, AS_WRITTEN, kind);
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    let next = offset(self.nodes.len());
                    if let Some(node) = open.pop().and_then(|index| self.nodes.get_mut(index)) {
                        node.next = next;
                        node.end = node.end.max(offset(range.end));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn push(&mut self, start: usize, end: usize, next: u32, text: u32, kind: Kind) {
        self.nodes.push(Node { start: offset(start), end: offset(end), next, text, kind });
    }

    /// Where a scalar's text is found again.
    fn place(&mut self, text: &str, start: usize, end: usize) -> u32 {
        if self.text.get(start..end) == Some(text) {
            return AS_WRITTEN;
        }
        if end > start && self.text.get(start + 1..end - 1) == Some(text) {
            return INSIDE_QUOTES;
        }
        self.owned.push(text.to_string());
        offset(self.owned.len() - 1)
    }

    /// Those that a syntax error left open reach to the end of what was read.
    fn close_open_nodes(&mut self) {
        let end = offset(self.nodes.len());
        for node in self.nodes.iter_mut().filter(|node| node.next == 0) {
            node.next = end;
        }
    }

    fn error(&self, start: usize, end: usize, text: String) -> SyntaxError {
        // The end of the file is no byte that could be marked: take the last one.
        let start = start.min(self.text.len().saturating_sub(1));
        let end = end.clamp(start, self.text.len());
        SyntaxError { span: Span::new(self.source, start..end), text }
    }
}

impl<'t> Value<'t> {
    /// What it is.
    pub(super) fn kind(self) -> Kind {
        self.node().kind
    }

    /// Its bytes. A block mapping or sequence is marked by its first line only,
    /// since its own span runs to the next token.
    pub(super) fn span(self) -> Span {
        let range = self.range();
        let first_line = match self.kind() {
            Kind::Scalar { .. } => range,
            Kind::Sequence | Kind::Mapping => {
                let text = &self.tree.text[range.clone()];
                range.start..range.start + text.lines().next().map_or(0, |it| it.trim_end().len())
            }
        };
        Span::new(self.tree.source, first_line)
    }

    /// All of its bytes. Those of a block mapping or sequence, and of a block scalar, run to the
    /// next token; a block scalar begins behind its header.
    pub(super) fn range(self) -> Range<usize> {
        self.node().start as usize..self.node().end as usize
    }

    /// The text of a scalar.
    pub(super) fn text(self) -> Option<&'t str> {
        let node = self.node();
        let (start, end) = (node.start as usize, node.end as usize);
        match (node.kind, node.text) {
            (Kind::Sequence | Kind::Mapping, _) => None,
            (_, AS_WRITTEN) => self.tree.text.get(start..end),
            (_, INSIDE_QUOTES) => self.tree.text.get(start + 1..end - 1),
            (_, owned) => self.tree.owned.get(owned as usize).map(String::as_str),
        }
    }

    /// Whether it is a plain `null`, `~`, or nothing at all.
    pub(super) fn is_null(self) -> bool {
        self.kind() == Kind::Scalar { plain: true }
            && matches!(self.text(), Some("" | "~" | "null" | "Null" | "NULL"))
    }

    /// The nodes directly inside: items, or keys and values in turn.
    pub(super) fn children(self) -> impl Iterator<Item = Value<'t>> {
        let (mut at, end) = match self.kind() {
            Kind::Scalar { .. } => (self.index, self.index),
            Kind::Sequence | Kind::Mapping => (self.index + 1, self.node().next as usize),
        };
        std::iter::from_fn(move || {
            let child = Value { tree: self.tree, index: (at < end).then_some(at)? };
            at = child.node().next as usize;
            Some(child)
        })
    }

    fn node(self) -> &'t Node {
        &self.tree.nodes[self.index]
    }
}
