//! Lookup tables of patterns and networks, and what Postfix says of their lines.

use crate::lookup::{self, Problem};
use crate::text::{SourceId, Span};

/// A table whose file holds patterns or networks.
pub struct PatternTable {
    /// The file.
    pub source: SourceId,
    /// What Postfix warns about when it opens the table, in the order of the file.
    pub problems: Vec<LineProblem>,
}

/// Something in such a file that Postfix warns about.
pub struct LineProblem {
    /// The logical line.
    pub span: Span,
    /// Postfix's own words.
    pub what: String,
}

impl LineProblem {
    /// Whether it is a first line that begins with white space.
    pub fn is_orphan(&self) -> bool {
        self.what == lookup::ORPHAN
    }
}

impl PatternTable {
    /// Opens the table `type:name`, whose file is `source`.
    pub(super) fn read(
        source: SourceId,
        bytes: &[u8],
        text: &str,
        reader: lookup::Reader,
    ) -> PatternTable {
        let table = lookup::Table::open(text.as_bytes(), reader, &mut |_| Ok((source, bytes)));
        let problem = |it: Problem| Some(LineProblem { span: it.place?, what: it.what });
        let mut problems: Vec<LineProblem> =
            table.problems.into_iter().filter_map(problem).collect();
        problems.sort_by_key(|it| it.span);
        PatternTable { source, problems }
    }
}
