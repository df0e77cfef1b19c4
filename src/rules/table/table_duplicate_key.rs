//! The same key twice.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use crate::config::TableKind;
use crate::finding::{Finding, Severity};
use crate::lint::{Context, Findings, FixKind, PolicyTable, Rule};
use crate::syntax::table::{Kind, Row};
use crate::text::{Span, fold, shortened};

pub(super) static RULE: Rule = Rule {
    id: "table-duplicate-key",
    severity: Severity::Error,
    summary: "a key stands in a table twice",
    doc: "
Keys are compared in lower case. postmap keeps the first row, warns about the
second and exits 0, so that a stronger policy further down has no effect.
A `texthash:` table with a duplicate key cannot be used at all: every lookup
fails, and all mail that needs one waits.

Two equal rows in an indexed table are only untidy: then this is advice.
",
    postfix_says: "duplicate entry: \"example.com\"",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_tls_policy_maps = lmdb:$config_directory/tls_policy
==> tls_policy <==
example.com may
Example.COM secure
#^^^^^^^^^^ the second \"Example.COM\" has no effect
",
    good: "
==> main.cf <==
smtp_tls_policy_maps = lmdb:$config_directory/tls_policy
==> tls_policy <==
example.com may
.example.com secure
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in &context.tables {
        let bytes = context.sources.source(table.source).bytes();
        for (row, first) in duplicates(bytes, &table.table.rows) {
            found(context, table, row, first, findings);
        }
    }
}

/// Each row whose key stands there already, and the first row that has it.
fn duplicates<'r>(bytes: &[u8], rows: &'r [Row]) -> Vec<(&'r Row, &'r Row)> {
    let key = |row: u64| fold(&bytes[rows[place(row)].key_range(bytes)]);
    // Half of each key's hash, and in the lower half which row it is: sorted,
    // equal keys are neighbours, the first one first. For a million rows that
    // takes half the time and a quarter of the memory of a hash map.
    let hasher = RandomState::default();
    let entries = (0_u64..).zip(rows).filter(|(_, row)| row.kind == Kind::Entry);
    let mut sorted = Vec::with_capacity(rows.len());
    sorted.extend(entries.map(|(row, _)| hasher.hash_one(key(row)) << 32 | row));
    sorted.sort_unstable();
    let mut found = Vec::new();
    for same in sorted.chunk_by(|a, b| a >> 32 == b >> 32) {
        for (at, row) in same.iter().enumerate().skip(1) {
            // Two keys may share a hash.
            let first = same[..at].iter().find(|it| key(**it) == key(*row));
            found.extend(first.map(|first| (place(*row), place(*first))));
        }
    }
    found.sort_unstable();
    found.into_iter().map(|(row, first)| (&rows[row], &rows[first])).collect()
}

/// Which row it is, from the lower half of what is sorted.
fn place(sorted: u64) -> usize {
    (sorted & 0xffff_ffff) as usize
}

fn found(context: &Context<'_>, table: &PolicyTable, row: &Row, first: &Row, findings: &mut Findings) {
    let bytes = context.sources.source(table.source).bytes();
    let span = Span::new(table.source, row.key_range(bytes));
    let key = format!("\"{}\"", shortened(&context.sources.text(span)));
    let same = row.text(bytes).value() == first.text(bytes).value();
    let finding: &mut Finding = match table.kind {
        TableKind::Texthash => findings.at(span, format!("a second {key} makes the whole table unusable")),
        TableKind::Indexed | TableKind::Other if same => {
            findings.milder(Severity::Advice, span, format!("the same row for {key} again"))
        }
        TableKind::Indexed | TableKind::Other => findings.at(span, format!("the second {key} has no effect")),
    };
    finding.related(Span::new(table.source, first.key_range(bytes)), "the first one").help("keep one of them");
}
