//! A source file that was changed after postmap.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::Reads;

use super::{named, table_files};

pub(super) static RULE: Rule = Rule {
    id: "indexed-file-stale",
    severity: Severity::Warning,
    summary: "the source file of a lookup table was changed after its indexed file",
    doc: "
Postfix reads the indexed file. What was changed in the source file since postmap
ran has no effect, and the programs that open the table log \"database … is older
than source file\", once the change is more than 100 seconds old.

Run postmap (or newaliases).

Looked at in a live directory, or with `--host`.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_tls_policy_maps = lmdb:/etc/postfix/tls_policy
#                           ^^^^^^^^^^^^^^^^^^^^^^^ changed after \"/etc/postfix/tls_policy.lmdb\"
==> tls_policy <==
a.example may
==> host <==
/etc/postfix/tls_policy is 5 minutes old
/etc/postfix/tls_policy.lmdb is 6 minutes old
",
    good: "
==> main.cf <==
smtp_tls_policy_maps = lmdb:/etc/postfix/tls_policy texthash:/etc/postfix/more
==> tls_policy <==
a.example may
==> host <==
/etc/postfix/tls_policy is 5 minutes old
/etc/postfix/tls_policy.lmdb is 5 minutes old
/etc/postfix/more is 1 minutes old
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(seen) = &context.seen else { return };
    for file in table_files(context).iter().filter(|it| it.reads == Reads::Index) {
        let Some(source) = seen.file(file.path).there() else { continue };
        let is_older = |it: &Vec<u8>| {
            seen.file(it).there().is_some_and(|index| index.modified < source.modified)
        };
        if let Some(older) = file.read_files().iter().find(|it| is_older(it)) {
            findings.at(file.span(), format!("changed after {}", named(older)));
        }
    }
}
