//! `proxy:lmdb:/etc/postfix/x` that proxymap(8) may not read.

use crate::config::{Scope, Within};
use crate::finding::Severity;
use crate::lint::seen::{Account, Seen};
use crate::lint::{Context, Findings, FixKind, Rule};

use super::{named, shown, table_files};

pub(super) static RULE: Rule = Rule {
    id: "proxied-file-unreadable",
    severity: Severity::Error,
    summary: "the proxymap service may not read the file of a lookup table",
    doc: "
Programs open their own lookup tables while they are still root. A table with
`proxy:` in front is opened by proxymap(8), and that runs as the user of
mail_owner from the beginning. Where this user may not read the file, or not
search a directory above it, proxymap logs \"Permission denied\" and every
question to the table fails: mail waits, and clients get a temporary error.

Name the table without `proxy:`, or give the file's group to Postfix
(`chgrp postfix`, mode 640).

Not found here: what an access list (setfacl) forbids.

Looked at in a live directory, or with `--host`.
",
    postfix_says: "open database /etc/postfix/tls_policy.lmdb: Permission denied",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
proxy_read_maps = $smtp_tls_policy_maps proxy:unix:passwd.byname
smtp_tls_policy_maps = proxy:lmdb:/etc/postfix/tls_policy
#                                 ^^^^^^^^^^^^^^^^^^^^^^^ \"postfix\" may not read \"/etc/postfix/tls_policy.lmdb\"
==> tls_policy <==
a.example may
==> host <==
/etc/postfix/tls_policy.lmdb has mode 600
",
    good: "
==> main.cf <==
proxy_read_maps = $smtp_tls_policy_maps proxy:unix:passwd.byname
smtp_tls_policy_maps = proxy:lmdb:/etc/postfix/tls_policy lmdb:/etc/postfix/more
==> tls_policy <==
a.example may
==> more <==
b.example may
==> host <==
/etc/postfix/tls_policy has mode 600
/etc/postfix/tls_policy.lmdb has mode 644
/etc/postfix/more.lmdb has mode 600
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(seen) = &context.seen else { return };
    let Some((name, account)) = reader(context, seen) else { return };
    for file in table_files(context).iter().filter(|it| it.is_proxied()) {
        let denied = |it: &Vec<u8>| seen.may_read(account, it).is_missing();
        if let Some(path) = file.read_files().into_iter().find(denied) {
            let text = format!("\"{name}\" may not read {}", named(&path));
            findings.at(file.span(), text);
        }
    }
}

/// Who proxymap(8) runs as; `None` where it is root, or nobody knows.
fn reader(context: &Context<'_>, seen: &Seen) -> Option<(String, Account)> {
    let effective = context.effective()?;
    let is_privileged = |it: &&Scope| it.program() == b"proxymap";
    let proxies: Vec<&Scope> = effective.scopes.iter().filter(is_privileged).collect();
    let services = context.services.as_ref();
    let runs_as_root = services.is_some_and(|it| {
        it.all().any(|service| service.field(7) == b"proxymap" && service.field(3) == b"n")
    });
    if runs_as_root {
        return None;
    }
    let within = proxies.first().map_or(Within::Main, |it| Within::Service(it));
    let owner = effective.value("mail_owner", within).0.ok()?;
    Some((shown(&owner), seen.user(&owner).there()?))
}
