//! A table that postmap has not been run for.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::Reads;

use super::{named, severity_of, shown, table_files};

pub(super) static RULE: Rule = Rule {
    id: "indexed-file-missing",
    severity: Severity::Error,
    summary: "the indexed file of a lookup table does not exist",
    doc: "
Of a table of type `hash`, `lmdb` or `cdb` Postfix reads the indexed file alone,
which postmap (or, for aliases, postalias) makes of the source file. Without it
the program that opens the table logs \"open database …: No such file or
directory\", and every question to the table fails: mail waits, and clients get
a temporary error.

Run postmap. The source file alone may be missing: only postmap reads it. Not
asked for are indexed files that Postfix makes itself, such as the caches of TLS
sessions.

Looked at in a live directory, or with `--host`.
",
    postfix_says: "open database /etc/postfix/tls_policy.lmdb: No such file or directory",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_tls_policy_maps = lmdb:/etc/postfix/tls_policy
#                           ^^^^^^^^^^^^^^^^^^^^^^^ there is no \"/etc/postfix/tls_policy.lmdb\"
==> tls_policy <==
a.example may
==> host <==
/etc/postfix/tls_policy.lmdb is missing
",
    good: "
==> main.cf <==
smtp_tls_policy_maps = lmdb:/etc/postfix/tls_policy
smtp_tls_session_cache_database = lmdb:/var/lib/postfix/smtp_scache
alias_database = lmdb:/etc/postfix/aliases
==> tls_policy <==
a.example may
==> host <==
/etc/postfix/tls_policy is missing
/etc/postfix/aliases.lmdb is missing
/var/lib/postfix/smtp_scache.lmdb is missing
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(seen) = &context.seen else { return };
    for file in table_files(context).iter().filter(|it| it.reads == Reads::Index) {
        let Some(missing) = file.read_files().into_iter().find(|it| seen.file(it).is_missing())
        else {
            continue;
        };
        let text = format!("there is no {}", named(&missing));
        let finding = findings.milder(severity_of(context, file), file.span(), text);
        finding.help(match file.table.parameter.as_str() {
            "alias_maps" => "run newaliases".to_owned(),
            _ => format!("run postmap {}:{}", shown(file.table_type()), shown(file.path)),
        });
    }
}
