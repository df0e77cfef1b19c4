//! Somebody else owns what Postfix obeys.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

use super::{configuration_files, named};

pub(super) static RULE: Rule = Rule {
    id: "configuration-not-owned-by-root",
    severity: Severity::Warning,
    summary: "the configuration directory or a file in it does not belong to root",
    doc: "
Postfix's programs start as root and do what their configuration says: whoever
owns main.cf, master.cf or a lookup table can have programs run in their place
and read all mail. `postfix check` warns \"not owned by root\".

Of tables outside of the configuration directory the owner does not count: other
software may write them.

Looked at in a live directory, or with `--host`.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_tls_policy_maps = texthash:/etc/postfix/tls_policy
#                               ^^^^^^^^^^^^^^^^^^^^^^^ \"/etc/postfix/tls_policy\" belongs to user 65534
==> tls_policy <==
a.example may
==> host <==
/etc/postfix/tls_policy belongs to nobody
",
    good: "
==> main.cf <==
virtual_alias_maps = lmdb:/var/lib/lists/virtual
==> host <==
/var/lib/lists/virtual belongs to list
/var/lib/lists/virtual.lmdb belongs to list
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(seen) = &context.seen else { return };
    for file in configuration_files(context).iter().filter(|it| it.is_inside) {
        let Some(there) = seen.file(&file.path).there().filter(|it| it.owner != 0) else {
            continue;
        };
        let text = format!("{} belongs to user {}", named(&file.path), there.owner);
        findings.at(file.place, text);
        // Who owns the directory can replace each file in it.
        if file.path == b"$config_directory" {
            return;
        }
    }
}
