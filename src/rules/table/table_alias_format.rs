//! Keys with a colon behind them.

use crate::finding::{Fix, Safety, Severity};
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::syntax::table::Kind;
use crate::text::{Edit, Span, shortened};

pub(super) static RULE: Rule = Rule {
    id: "table-alias-format",
    severity: Severity::Error,
    summary: "a key ends with a colon, as in an alias file",
    doc: "
Only alias files, which newaliases reads, have a colon behind the name. In other
tables it is a letter of the key: postmap warns, exits 0 and keeps the row, and
nothing that Postfix looks up is ever equal to it.
",
    postfix_says: "record is in \"key: value\" format; is this an alias file?",
    fix: FixKind::Sometimes,
    bad: "
==> main.cf <==
virtual_alias_maps = lmdb:$config_directory/virtual
==> virtual <==
info@example.com:  postmaster@example.org
#               ^ Postfix looks for \"info@example.com\", and not with a colon
",
    good: "
==> main.cf <==
smtp_sasl_password_maps = lmdb:$config_directory/passwords
==> passwords <==
[relay.example]:587 user:word
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in &context.tables {
        let bytes = context.sources.source(table.source).bytes();
        for row in table.table.rows.iter().filter(|it| it.kind == Kind::Entry) {
            let key = row.key_range(bytes);
            let name = bytes[key.clone()].iter().rposition(|it| *it != b':').map_or(0, |it| it + 1);
            if name == key.len() {
                continue;
            }
            let span = |range| Span::new(table.source, range);
            let colon = span(key.start + name..key.end);
            let name = context.sources.text(span(key.start..key.start + name)).into_owned();
            if name.is_empty() {
                // Without its key, the row would be the end of the line above.
                findings.at(colon, "Postfix never looks for this");
                continue;
            }
            let text = format!("Postfix looks for \"{}\", and not with a colon", shortened(&name));
            findings.at(colon, text).fix(Fix {
                // It may be an alias file, which another parameter should name.
                safety: Safety::Unsafe,
                title: "remove the colon".to_owned(),
                edits: vec![Edit::new(colon, "")],
            });
        }
    }
}
