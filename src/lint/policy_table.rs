//! Lookup tables as text, and what smtp(8) thinks of the policies in them.

use std::num::NonZero;
use std::ops::Range;
use std::panic::resume_unwind;
use std::thread::{self, ScopedJoinHandle};

use crate::config::TableKind;
use crate::policy::row::{self, Judge, What};
use crate::syntax::table::{self, Kind, Row, Table};
use crate::text::{SourceId, Span};

/// A row with more of them is no policy with mistakes but another file.
const MAX_PROBLEMS_OF_A_ROW: usize = 100;

/// A lookup table.
pub struct PolicyTable {
    /// The file.
    pub source: SourceId,
    /// How Postfix reads it.
    pub kind: TableKind,
    /// Which client asks it for policies, `smtp` or `lmtp`; `None`: nobody does.
    pub client: Option<&'static str>,
    /// Its rows.
    pub table: Table,
    /// What is wrong with them, in the order of the file.
    pub(super) problems: Vec<RowProblem>,
}

/// What smtp(8) thinks of a row.
pub struct RowProblem {
    /// The row's index in its table.
    pub row: usize,
    /// Where it is.
    pub span: Span,
    /// What is so there.
    pub what: What,
}

/// Reads a table, and judges its rows if there is somebody to judge for.
pub(super) fn read(
    source: SourceId,
    bytes: &[u8],
    judge: Option<Judge>,
) -> (Table, Vec<RowProblem>) {
    let mut parts = in_parts(bytes, &|part| read_part(source, bytes, part, judge)).into_iter();
    let (mut rows, mut problems) = parts.next().unwrap_or_default();
    for (more, found) in parts {
        let before = rows.len();
        rows.extend(more);
        problems.extend(found.into_iter().map(|it| RowProblem { row: before + it.row, ..it }));
    }
    (Table { rows }, problems)
}

/// The rows of a part of a table, and what smtp(8) thinks of each.
fn read_part(
    source: SourceId,
    bytes: &[u8],
    part: Range<usize>,
    judge: Option<Judge>,
) -> (Vec<Row>, Vec<RowProblem>) {
    let rows = table::parse_part(bytes, part);
    let mut problems = Vec::new();
    let Some(judge) = judge else { return (rows, problems) };
    for (index, row) in rows.iter().enumerate().filter(|(_, row)| row.kind == Kind::Entry) {
        let before = problems.len();
        // The way back to the bytes is looked for once, and only where something is wrong.
        let mut text = None;
        row::parse(&row.value(bytes)).problems(judge, &mut |problem| {
            if problems.len() < before + MAX_PROBLEMS_OF_A_ROW {
                let text = text.get_or_insert_with(|| row.text(bytes));
                let span = Span::new(source, text.locate(problem.range));
                problems.push(RowProblem { row: index, span, what: problem.what });
            }
        });
    }
    (rows, problems)
}

/// What `read` makes of the parts of a table, in order. A large table is shared
/// out to the processors, since its rows have nothing to do with each other;
/// a usual one is a single part, and starts no thread.
fn in_parts<T: Send>(bytes: &[u8], read: &(impl Fn(Range<usize>) -> T + Sync)) -> Vec<T> {
    /// Some ten thousand rows: a thread costs less than reading them.
    const LARGE: usize = 1 << 20;
    if bytes.len() < LARGE {
        return table::parts(bytes, LARGE).map(read).collect();
    }
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let size = bytes.len().div_ceil(processors).max(LARGE);
    thread::scope(|scope| {
        let parts = table::parts(bytes, size).map(|part| scope.spawn(|| read(part)));
        let parts: Vec<_> = parts.collect();
        let join = |it: ScopedJoinHandle<'_, T>| it.join().unwrap_or_else(|it| resume_unwind(it));
        parts.into_iter().map(join).collect()
    })
}
