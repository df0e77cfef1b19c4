//! The same key twice.


use crate::config::TableKind;
use crate::finding::{Finding, Fix, Safety, Severity};
use crate::lint::{Context, Findings, FixKind, PolicyTable, Rule};
use crate::syntax::table::Row;
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
    fix: FixKind::Always,
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
smtp_tls_CAfile = /etc/postfix/ca.pem
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
        for (row, first) in duplicates(bytes, table) {
            found(context, table, row, first, findings);
        }
    }
}

/// Each row whose key stands there already, and the first row that has it.
fn duplicates<'t>(bytes: &[u8], table: &'t PolicyTable) -> Vec<(&'t Row, &'t Row)> {
    let rows = &table.table.rows;
    let key = |row: usize| fold(&bytes[rows[row].key_range(bytes)]);
    let mut found = Vec::new();
    for same in table.keys.chunk_by(|a, b| a.hash() == b.hash()) {
        for (at, row) in same.iter().enumerate().skip(1) {
            let first = same[..at].iter().find(|first| key(first.row()) == key(row.row()));
            found.extend(first.map(|first| (row.row(), first.row())));
        }
    }
    found.sort_unstable();
    found.into_iter().map(|(row, first)| (&rows[row], &rows[first])).collect()
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
    finding.fix(Fix {
        safety: if same { Safety::Safe } else { Safety::Unsafe },
        title: "remove the second one".to_owned(),
        edits: context.without_lines(Span::new(table.source, row.range())),
    });
}
