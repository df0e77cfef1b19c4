//! An indexed file that is new and holds something else.

use std::collections::HashSet;

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::Reads;

use super::{shown, table_files};

pub(super) static RULE: Rule = Rule {
    id: "indexed-file-differs",
    severity: Severity::Warning,
    summary: "the indexed file of a lookup table holds other rows than its source file",
    doc: "
Postfix reads the indexed file, and its age is all that Postfix compares. A
source file that was put there with an older date (`cp -p`, rsync, a package, a
rollback) has no effect and brings no warning.

Compared with what `postmap -s` lists, where the dates show nothing: see
indexed-file-stale. Not compared are aliases, tables for `postmap -F`, tables with quoted keys,
and large ones.

Looked at in a live directory, or with `--host`.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_tls_policy_maps = lmdb:/etc/postfix/tls_policy
#                           ^^^^^^^^^^^^^^^^^^^^^^^ its indexed file holds other rows
==> tls_policy <==
a.example may
==> host <==
/etc/postfix/tls_policy.lmdb holds other rows
",
    good: "
==> main.cf <==
alias_maps = lmdb:/etc/postfix/aliases
local_recipient_maps = $alias_maps
tls_server_sni_maps = lmdb:/etc/postfix/sni
==> host <==
/etc/postfix/aliases.lmdb holds other rows
/etc/postfix/sni.lmdb holds other rows
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(seen) = &context.seen else { return };
    let files = table_files(context);
    // Their indexed files are made by other programs, or hold the content of files.
    let aliases = context.table_uses().iter().filter(|it| {
        ["alias_maps", "alias_database", "tls_server_sni_maps"].contains(&&*it.parameter)
    });
    let others: HashSet<&[u8]> =
        aliases.map(|it| &it.text[it.reference.name.clone()]).collect();
    for file in files.iter().filter(|it| it.reads == Reads::Index && !others.contains(it.path)) {
        let Some(source) = seen.file(file.path).there() else { continue };
        let is_new = |it: &Vec<u8>| {
            seen.file(it).there().is_some_and(|index| index.modified >= source.modified)
        };
        if file.read_files().iter().all(is_new) && seen.rows_differ(file.table_type(), file.path) {
            let text = "its indexed file holds other rows";
            let command =
                format!("run postmap {}:{}", shown(file.table_type()), shown(file.path));
            findings.at(file.span(), text).help(command);
        }
    }
}
