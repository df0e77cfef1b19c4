//! `regexp:/etc/postfix/x`, and there is no such file.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::Reads;

use super::{severity_of, table_files};

pub(super) static RULE: Rule = Rule {
    id: "table-file-missing",
    severity: Severity::Error,
    summary: "the file of a lookup table does not exist",
    doc: "
A table of type `texthash`, `regexp`, `pcre` or `cidr` is a text file that each
program reads when it opens the table, and the one of a database client
(`mysql`, `ldap`, …) says which server to ask. Without the file the program
logs \"open …: No such file or directory\", and every question to the table
fails: mail waits, and clients get a temporary error.

Looked at in a live directory, or with `--host`.
",
    postfix_says: "open database /etc/postfix/tls_policy: No such file or directory",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_tls_policy_maps = texthash:/etc/postfix/tls_policy
#                               ^^^^^^^^^^^^^^^^^^^^^^^ there is no such file
==> host <==
/etc/postfix/tls_policy is missing
",
    good: "
==> main.cf <==
smtp_tls_policy_maps = lmdb:/etc/postfix/tls_policy
smtp_tls_session_cache_database = lmdb:/var/lib/postfix/no-cache-yet
==> tls_policy <==
a.example may
==> host <==
/var/lib/postfix/no-cache-yet.lmdb is missing
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(seen) = &context.seen else { return };
    for file in table_files(context).iter().filter(|it| it.reads != Reads::Index) {
        if seen.file(file.path).is_missing() {
            let severity = severity_of(context, file);
            findings.milder(severity, file.span(), "there is no such file");
        }
    }
}
