//! Lookup tables as text, and what smtp(8) thinks of the policies in them and in the policy file.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::ops::Range;

use foldhash::fast::RandomState;

use super::clients::PolicyClient;
use crate::config::TableKind;
use crate::policy::row;
use crate::policy::what::What;
use crate::policy::{Client, Policies, compile};
use crate::postfix::SecurityLevel;
use crate::syntax::table::{self, Kind, Row, Table};
use crate::text::{SourceId, Sources, Span, fold, in_parts, offset};

/// A row with more of them is no policy with mistakes but another file.
const MAX_PROBLEMS_OF_A_ROW: usize = 100;

/// A lookup table.
pub struct PolicyTable {
    /// The file.
    pub source: SourceId,
    /// How Postfix reads it.
    pub kind: TableKind,
    /// The clients that ask it for policies, each with other settings; none: nobody does.
    pub clients: Vec<PolicyClient>,
    /// Its rows.
    pub table: Table,
    /// The keys of all entries, sorted: equal ones are neighbours, and the first
    /// row comes first. For a million rows that takes half the time of a hash
    /// map, and a quarter of its memory.
    pub keys: Vec<HashedKey>,
    /// What is wrong with them, in the order of the file.
    pub(super) problems: Vec<RowProblem>,
    /// The first row of each level, in the order of [`SecurityLevel::ALL`].
    levels: Levels,
    /// The rows at level fingerprint.
    pub(super) pinned: Vec<usize>,
}

type Levels = [Option<usize>; SecurityLevel::ALL.len()];

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
    /// The first client that finds so, as an index into those of the table.
    pub client: usize,
}

/// What is known of a part of a table.
#[derive(Default)]
struct Part {
    rows: Vec<Row>,
    keys: Vec<HashedKey>,
    problems: Vec<RowProblem>,
    levels: Levels,
    pinned: Vec<usize>,
}

/// Where a byte of a row's right-hand side stands. A pattern's row may have another one than its
/// `value`; then it is the whole row.
pub fn place_in_row(sources: &Sources, row: Span, value: &[u8], at: usize) -> Span {
    let bytes = sources.source(row.source).bytes();
    let rows = table::parse_part(bytes, row.range());
    match rows.first().filter(|it| *it.value(bytes) == *value) {
        Some(it) => Span::new(row.source, it.text(bytes).locate(at..at + 1)),
        None => row,
    }
}

impl PolicyTable {
    /// The first row at a level, where somebody asks the table for policies.
    pub fn first_at(&self, level: SecurityLevel) -> Option<usize> {
        self.levels[level as usize]
    }

    /// A table with this row only.
    pub(super) fn of_row(row: Span, bytes: &[u8], client: PolicyClient) -> PolicyTable {
        let hasher = RandomState::default();
        let Part { rows, keys, problems, levels, pinned } =
            read_part(row.source, bytes, row.range(), &[&client.client], &hasher);
        let (kind, clients) = (TableKind::Texthash, vec![client]);
        PolicyTable {
            source: row.source,
            kind,
            clients,
            table: Table { rows },
            keys,
            problems,
            levels,
            pinned,
        }
    }

    /// Reads a table, and judges its rows if there is somebody to judge for.
    pub(super) fn read(
        source: SourceId,
        bytes: &[u8],
        kind: TableKind,
        clients: Vec<PolicyClient>,
    ) -> PolicyTable {
        let hasher = RandomState::default();
        let judges: Vec<&Client> = clients.iter().map(|it| &it.client).collect();
        let split = |size| table::parts(bytes, size).collect();
        let parts =
            in_parts(bytes, split, &|part| read_part(source, bytes, part, &judges, &hasher));
        let mut parts = parts.into_iter();
        let Part { mut rows, mut keys, mut problems, mut levels, mut pinned } =
            parts.next().unwrap_or_default();
        for part in parts {
            let before = rows.len();
            rows.extend(part.rows);
            for (first, here) in levels.iter_mut().zip(part.levels) {
                *first = first.or(here.map(|it| before + it));
            }
            pinned.extend(part.pinned.into_iter().map(|it| before + it));
            let moved = u64::from(offset(before));
            keys.extend(part.keys.into_iter().map(|it| HashedKey(it.0 + moved)));
            problems.extend(
                part.problems.into_iter().map(|it| RowProblem { row: before + it.row, ..it }),
            );
        }
        // Of sorted parts, the stable sort makes a merge.
        keys.sort();
        PolicyTable { source, kind, clients, table: Table { rows }, keys, problems, levels, pinned }
    }
}

/// The values of all `tafile=` in a table.
pub fn trust_anchors(bytes: &[u8]) -> Vec<String> {
    const NAME: &[u8] = b"tafile";
    // Nearly all tables have none, and this letter is the rarest of the name.
    let is_one = |at: usize| {
        let word = at.checked_sub(2).and_then(|start| bytes.get(start..start + NAME.len()));
        word.is_some_and(|it| it.eq_ignore_ascii_case(NAME))
    };
    if !memchr::memchr2_iter(b'f', b'F', bytes).any(is_one) {
        return Vec::new();
    }
    table::rows(bytes, 0..bytes.len()).flat_map(|row| anchors_of(&row.value(bytes))).collect()
}

/// The values of `tafile=` in a policy.
pub fn anchors_of(policy: &[u8]) -> Vec<String> {
    let row = row::parse(policy);
    let values = row.values("tafile").map(|it| &policy[it]);
    values.filter_map(|it| Some(str::from_utf8(it).ok()?.to_owned())).collect()
}

/// Comments between the lines of a row do not count.
fn not_utf8(row: &Row, bytes: &[u8]) -> bool {
    let text = row.text(bytes);
    str::from_utf8(text.key()).is_err() || str::from_utf8(text.value()).is_err()
}

/// What smtp(8) thinks of a policy that stands somewhere in this place, for its mistakes to be marked
/// where it is there as it is, and once.
pub(super) fn of_value(
    sources: &Sources,
    value: &[u8],
    place: Span,
    client: &Client,
) -> Vec<RowProblem> {
    let text = sources.bytes(place);
    let mut found = memchr::memmem::find_iter(text, value);
    let only = found.next().filter(|_| found.next().is_none());
    let at_end = text.trim_ascii_end().strip_suffix(value).map(<[u8]>::len);
    let start = at_end.or(only).map(|it| place.range().start + it);
    let mut problems = Vec::new();
    row::parse(value).problems(b"", client, &mut |problem| {
        let range = problem.range;
        let precise = |start| Span::new(place.source, start + range.start..start + range.end);
        let span = start.map_or(place, precise);
        problems.push(RowProblem { row: 0, span, what: problem.what, client: 0 });
    });
    problems
}

/// What smtp(8) thinks of what the policy files say, at its places there.
pub(super) fn of_policy_files(policies: &Policies, client: &Client) -> Vec<RowProblem> {
    let mut problems = Vec::new();
    let digest = client.known_digest();
    let what = |index: usize| {
        let destination = &policies.destinations[index];
        let is_path = destination.nexthop.value.as_str().contains('/');
        (destination.policy.origins(), is_path)
    };
    // What a profile says is judged once, however many destinations use it. Of each the hash is
    // kept: all of it would be larger than the policy file.
    let hasher = RandomState::default();
    let mut judged: HashMap<u64, usize, RandomState> = HashMap::default();
    let mut text = String::new();
    let in_force = policies.destinations.iter().enumerate().filter(|it| !it.1.testing);
    for (index, destination) in in_force {
        let first = *judged.entry(hasher.hash_one(what(index))).or_insert(index);
        if first != index && what(first) == what(index) {
            continue;
        }
        let key = destination.nexthop.value.as_str().as_bytes();
        text.clear();
        compile::write(&destination.policy, digest, &mut text);
        row::parse(text.as_bytes()).problems(key, client, &mut |problem| {
            let (_, places) = compile::placed(&destination.policy, digest);
            let place = places.iter().rev().find(|(at, _)| *at <= problem.range.start);
            let span = place.map_or(destination.nexthop.span, |(_, span)| *span);
            problems.push(RowProblem { row: index, span, what: problem.what, client: 0 });
        });
    }
    problems
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
    judges: &[&Client],
    hasher: &RandomState,
) -> Part {
    let rows = table::parse_part(bytes, part);
    let entries = || (0_u32..).zip(&rows).filter(|(_, row)| row.kind == Kind::Entry);
    let hash = |row: &Row| hasher.hash_one(fold(&bytes[row.key_range(bytes)]));
    let mut keys = Vec::with_capacity(rows.len());
    keys.extend(entries().map(|(index, row)| HashedKey(hash(row) << 32 | u64::from(index))));
    keys.sort_unstable();
    let mut problems: Vec<RowProblem> = Vec::new();
    let mut levels = Levels::default();
    let mut pinned = Vec::new();
    let part = rows.first().zip(rows.last()).map(|(a, b)| a.range().start..b.range().end);
    let is_utf8 = part.is_none_or(|it| str::from_utf8(&bytes[it]).is_ok());
    for (index, row) in entries().filter(|_| !judges.is_empty()) {
        let before = problems.len();
        let client = judges.iter().position(|it| it.utf8).filter(|_| !is_utf8);
        if let Some(client) = client.filter(|_| not_utf8(row, bytes)) {
            let span = Span::new(source, row.key_range(bytes));
            problems.push(RowProblem { row: index as usize, span, what: What::NotUtf8, client });
        }

        // The way back to the bytes is looked for once, and only where something is wrong.
        let mut text = None;
        let (key, value) = (&bytes[row.key_range(bytes)], row.value(bytes));
        let policy = row::parse(&value);
        if let Some(level) = policy.security_level() {
            levels[level as usize].get_or_insert(index as usize);
            if level == SecurityLevel::Fingerprint {
                pinned.push(index as usize);
            }
        }
        for (client, judge) in judges.iter().enumerate() {
            policy.problems(key, judge, &mut |problem| {
                if problems.len() >= before + MAX_PROBLEMS_OF_A_ROW {
                    return;
                }
                let text = text.get_or_insert_with(|| row.text(bytes));
                let span = Span::new(source, text.locate(problem.range));
                let known = &problems[before..];
                // Most mistakes are mistakes for all.
                if client == 0 || !known.iter().any(|it| it.span == span && it.what == problem.what)
                {
                    problems.push(RowProblem {
                        row: index as usize,
                        span,
                        what: problem.what,
                        client,
                    });
                }
            });
        }
    }
    Part { rows, keys, problems, levels, pinned }
}
