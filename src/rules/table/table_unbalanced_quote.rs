//! A quote that is not closed.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::syntax::table::Kind;
use crate::syntax::{lines, trim};
use crate::text::Span;

pub(super) static RULE: Rule = Rule {
    id: "table-unbalanced-quote",
    severity: Severity::Error,
    summary: "a row of a table has a quote that is not closed",
    doc: "
postmap warns, leaves the row out and exits 0; texthash ignores it. Postfix acts
as if the row were not there.

A key in quotes keeps them: `\"a b\"` is found as `\"a b\"` only.
",
    postfix_says: "unbalanced '\"' in",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_tls_policy_maps = lmdb:$config_directory/tls_policy
==> tls_policy <==
\"example.com encrypt
#^^^^^^^^^^^^^^^^^^^ Postfix ignores this row
",
    good: "
==> main.cf <==
smtp_tls_policy_maps = lmdb:$config_directory/tls_policy
==> tls_policy <==
example.com encrypt
# \"quotes in a comment
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in &context.tables {
        let bytes = context.sources.source(table.source).bytes();
        for row in table.table.rows.iter().filter(|it| it.kind == Kind::UnbalancedQuote) {
            let start = row.range().start;
            let (_, text) = trim(&bytes[start..lines::line_end(bytes, start)]);
            let span = Span::new(table.source, start..start + text.len());
            let span = super::marked(context, span);
            findings.at(span, "Postfix ignores this row").help("close the quote, or remove it");
        }
    }
}
