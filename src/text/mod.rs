//! Bytes and places: what every other module points at.
//!
//! Sources are bytes, not UTF-8: real files hold Latin-1 comments, and what
//! postls does not mean to change stays as it was. A source is smaller than
//! 4 GiB, so that a place fits in 32 bits; whoever reads files refuses larger
//! ones before they come here.

mod edit;
mod fold;
mod nearest;
mod processors;
mod shortened;
mod source;

use std::num::NonZeroU32;
use std::ops::Range;

pub use edit::{Edit, Edits};
pub use fold::{fold, fold_ascii};
pub use nearest::{all_nearest, nearest};
pub use processors::{in_parts, on_all_processors};
pub use shortened::shortened;
pub use source::{Secret, Source, Sources};

/// Which of the [`Sources`] a place is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(u32);

/// A half-open range of bytes in one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The source that the bytes stand in.
    pub source: SourceId,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset behind the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes `range` of `source`.
    pub fn new(source: SourceId, range: Range<usize>) -> Span {
        Span { source, start: offset(range.start), end: offset(range.end) }
    }

    /// The offsets, ready for indexing.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A line number as people and editors count: from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line(NonZeroU32);

impl Line {
    /// The line with this index, counted from 0.
    pub fn from_index(index: usize) -> Line {
        Line(NonZeroU32::MIN.saturating_add(offset(index)))
    }

    /// The number, 1 for the first line.
    pub fn number(self) -> u32 {
        self.0.get()
    }
}

/// An offset into a source. Sources of 4 GiB and more are refused when they are read.
pub fn offset(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
