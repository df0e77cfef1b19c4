//! A key alone.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::syntax::table::Kind;
use crate::text::{Span, shortened};

pub(super) static RULE: Rule = Rule {
    id: "table-missing-value",
    severity: Severity::Error,
    summary: "a row of a table has a key and no value",
    doc: "
postmap warns, leaves the row out and exits 0; texthash ignores it. Postfix acts
as if the row were not there: a destination has the default policy, an address is
not in the list.

Typical causes: the value on a line of its own that is not indented, or a table
of domains that are meant to be only present.
",
    postfix_says: "expected format: key whitespace value",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_tls_policy_maps = lmdb:$config_directory/tls_policy
==> tls_policy <==
example.com
#^^^^^^^^^^ Postfix ignores the row of \"example.com\"
example.net encrypt
",
    good: "
==> main.cf <==
smtp_tls_policy_maps = lmdb:$config_directory/tls_policy
==> tls_policy <==
example.com
# the value follows
    encrypt
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in &context.tables {
        let bytes = context.sources.source(table.source).bytes();
        for row in table.table.rows.iter().filter(|it| it.kind == Kind::MissingValue) {
            let span = Span::new(table.source, row.key_range(bytes));
            // A word alone in a file of passwords may be one.
            let text = if context.is_secret(table.source) {
                "Postfix ignores this row".to_owned()
            } else {
                let key = shortened(&context.sources.text(span));
                format!("Postfix ignores the row of \"{key}\"")
            };
            findings.at(super::marked(context, span), text).help("write the value behind the key");
        }
    }
}
