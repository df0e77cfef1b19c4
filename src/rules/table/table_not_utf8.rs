//! Rows of a table that are not UTF-8.

use crate::config::TableKind;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, PolicyTable, Rule};
use crate::postfix::Version;
use crate::syntax::table::Kind;
use crate::text::Span;

pub(super) static RULE: Rule = Rule {
    id: "table-not-utf8",
    severity: Severity::Error,
    summary: "a row of a table is lost, since it is not UTF-8",
    doc: "
With `smtputf8_enable = yes`, the default from compatibility_level 1 on, lookup tables
are UTF-8. postmap warns of a row that is not, leaves it out and exits 0; texthash
of Postfix up to 3.10 does the same. Often the file was written in Latin-1.
",
    postfix_says: "non-UTF-8",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
compatibility_level = 3.6
recipient_canonical_maps = lmdb:$config_directory/canonical
==> canonical <==
info@example.com caf\u{fffd}@example.com
#^^^^^^^^^^^^^^^ this row is not UTF-8
",
    good: "
==> main.cf <==
compatibility_level = 3.6
recipient_canonical_maps = lmdb:$config_directory/canonical
==> canonical <==
# caf\u{fffd} in a comment
info@example.com caf\u{e9}@example.com
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    if !context.tables_are_utf8() {
        return;
    }
    // Of the rows of TLS policy tables, policy-not-utf8 says what is lost.
    for table in context.tables.iter().filter(|it| it.clients.is_empty()) {
        let bytes = context.sources.source(table.source).bytes();
        if !is_read_as_utf8(context, table) || str::from_utf8(bytes).is_ok() {
            continue;
        }
        for row in table.table.rows.iter().filter(|it| it.kind != Kind::Orphan) {
            let text = row.text(bytes);
            if str::from_utf8(text.key()).is_err() || str::from_utf8(text.value()).is_err() {
                let span = super::marked(context, Span::new(table.source, row.key_range(bytes)));
                findings
                    .at(span, "this row is not UTF-8")
                    .help("write it in UTF-8, or names in their ASCII form (xn--…)");
            }
        }
    }
}

fn is_read_as_utf8(context: &Context<'_>, table: &PolicyTable) -> bool {
    match table.kind {
        TableKind::Indexed => true,
        TableKind::Texthash => context.version() < Version::new(3, 11),
        TableKind::Other => false,
    }
}
