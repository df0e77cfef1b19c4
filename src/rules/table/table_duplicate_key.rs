//! The same key twice.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::config::TableKind;
use crate::finding::{Finding, Severity};
use crate::lint::{Context, Findings, FixKind, PolicyTable, Rule};
use crate::syntax::table::{Kind, Row};
use crate::text::Span;

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
#^^^^^^^^^^ has no effect
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
        duplicates(context, table, &mut |row, first| found(context, table, row, first, findings));
    }
}

/// Calls `found` with each row whose key stands there already, and the first row that has it.
fn duplicates(context: &Context<'_>, table: &PolicyTable, found: &mut dyn FnMut(&Row, &Row)) {
    let bytes = context.sources.source(table.source).bytes();
    let rows = &table.table.rows;
    // Hashes instead of keys: for a million rows that is a fifth of the memory.
    // Two keys with one hash are rare, so they may cost a second look.
    let hasher = RandomState::default();
    let mut first: HashMap<u64, u32, RandomState> = HashMap::with_capacity_and_hasher(rows.len(), hasher.clone());
    for (index, row) in rows.iter().enumerate().filter(|(_, row)| row.kind == Kind::Entry) {
        let key = fold(&bytes[row.key_range(bytes)]);
        let hash = std::hash::BuildHasher::hash_one(&hasher, &key[..]);
        let index = crate::text::offset(index);
        let earlier = *first.entry(hash).or_insert(index);
        if earlier == index {
            continue;
        }
        let other = &rows[earlier as usize];
        if fold(&bytes[other.key_range(bytes)]) == key {
            found(row, other);
        }
    }
}

/// Postfix folds keys when it stores them and when it looks them up.
fn fold(key: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    if key.iter().any(u8::is_ascii_uppercase) || !key.is_ascii() {
        match std::str::from_utf8(key) {
            Ok(text) => text.to_lowercase().into_bytes().into(),
            Err(_) => key.to_ascii_lowercase().into(),
        }
    } else {
        key.into()
    }
}

fn found(context: &Context<'_>, table: &PolicyTable, row: &Row, first: &Row, findings: &mut Findings) {
    let bytes = context.sources.source(table.source).bytes();
    let span = Span::new(table.source, row.key_range(bytes));
    let same = row.text(bytes).value() == first.text(bytes).value();
    let finding: &mut Finding = match table.kind {
        TableKind::Texthash => findings.at(span, "makes the whole table unusable"),
        TableKind::Indexed | TableKind::Other if same => {
            findings.milder(Severity::Advice, span, "the same row again")
        }
        TableKind::Indexed | TableKind::Other => findings.at(span, "has no effect"),
    };
    finding.related(Span::new(table.source, first.key_range(bytes)), "the first one").help("keep one of them");
}
