//! Lookup tables as text, and what smtp(8) thinks of the policies in them.

use std::hash::BuildHasher;
use std::ops::Range;

use foldhash::fast::RandomState;

use crate::config::TableKind;
use crate::policy::row::{self, Judge, What};
use crate::syntax::table::{self, Kind, Row, Table};
use crate::text::{SourceId, Span, fold, in_parts, offset};

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
    /// The keys of all entries, sorted: equal ones are neighbours, and the first
    /// row comes first. For a million rows that takes half the time of a hash
    /// map, and a quarter of its memory.
    pub keys: Vec<HashedKey>,
    /// What is wrong with them, in the order of the file.
    pub(super) problems: Vec<RowProblem>,
}

/// Half of a key's hash, and in the lower half of the number its row: one number
/// is sorted faster than a pair. Two keys may have the same hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HashedKey(u64);

/// What smtp(8) thinks of a row.
pub struct RowProblem {
    /// The row's index in its table.
    pub row: usize,
    /// Where it is.
    pub span: Span,
    /// What is so there.
    pub what: What,
}

/// What is known of a part of a table.
#[derive(Default)]
struct Part {
    rows: Vec<Row>,
    keys: Vec<HashedKey>,
    problems: Vec<RowProblem>,
}

impl PolicyTable {
    /// Reads a table, and judges its rows if there is somebody to judge for.
    pub(super) fn read(
        source: SourceId,
        bytes: &[u8],
        kind: TableKind,
        client: Option<&'static str>,
        judge: Option<Judge>,
    ) -> PolicyTable {
        let hasher = RandomState::default();
        let split = |size| table::parts(bytes, size).collect();
        let parts = in_parts(bytes, split, &|part| read_part(source, bytes, part, judge, &hasher));
        let mut parts = parts.into_iter();
        let Part { mut rows, mut keys, mut problems } = parts.next().unwrap_or_default();
        for part in parts {
            let before = rows.len();
            rows.extend(part.rows);
            let moved = u64::from(offset(before));
            keys.extend(part.keys.into_iter().map(|it| HashedKey(it.0 + moved)));
            problems.extend(
                part.problems.into_iter().map(|it| RowProblem { row: before + it.row, ..it }),
            );
        }
        // Of sorted parts, the stable sort makes a merge.
        keys.sort();
        PolicyTable { source, kind, client, table: Table { rows }, keys, problems }
    }
}

impl HashedKey {
    /// The half of the hash.
    pub fn hash(self) -> u64 {
        self.0 >> 32
    }

    /// The row's index in its table.
    pub fn row(self) -> usize {
        (self.0 & 0xffff_ffff) as usize
    }
}

/// The rows of a part of a table, and what smtp(8) thinks of each.
fn read_part(
    source: SourceId,
    bytes: &[u8],
    part: Range<usize>,
    judge: Option<Judge>,
    hasher: &RandomState,
) -> Part {
    let rows = table::parse_part(bytes, part);
    let entries = || (0_u32..).zip(&rows).filter(|(_, row)| row.kind == Kind::Entry);
    let hash = |row: &Row| hasher.hash_one(fold(&bytes[row.key_range(bytes)]));
    let mut keys = Vec::with_capacity(rows.len());
    keys.extend(entries().map(|(index, row)| HashedKey(hash(row) << 32 | u64::from(index))));
    keys.sort_unstable();
    let mut problems: Vec<RowProblem> = Vec::new();
    for (index, row) in entries() {
        let Some(judge) = judge else { break };
        let before = problems.len();
        // The way back to the bytes is looked for once, and only where something is wrong.
        let mut text = None;
        row::parse(&row.value(bytes)).problems(judge, &mut |problem| {
            if problems.len() < before + MAX_PROBLEMS_OF_A_ROW {
                let text = text.get_or_insert_with(|| row.text(bytes));
                let span = Span::new(source, text.locate(problem.range));
                problems.push(RowProblem { row: index as usize, span, what: problem.what });
            }
        });
    }
    Part { rows, keys, problems }
}
