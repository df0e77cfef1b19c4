//! A data directory that Postfix cannot write to.

use crate::config::Within;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

use super::{first_entry, shown};

pub(super) static RULE: Rule = Rule {
    id: "data-directory-not-owned",
    severity: Severity::Error,
    summary: "data_directory does not belong to the user that Postfix runs as",
    doc: "
In data_directory Postfix keeps what it writes for itself: caches of TLS sessions
and addresses, random numbers, and a lock, which master(8) takes as the user of
mail_owner. Where the directory is another user's, master logs \"open lock file
…: Permission denied\" and Postfix does not start. Where the lock is still there
from better days it starts, and cannot write the rest: then this is a warning.
`postfix check` warns \"not owned by postfix\".

Looked at in a live directory, or with `--host`.
",
    postfix_says: "mail system startup failed",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
data_directory = /var/lib/postfix
#                ^^^^^^^^^^^^^^^^ \"/var/lib/postfix\" belongs to user 0, and Postfix runs as \"postfix\"
==> host <==
/var/lib/postfix belongs to root
/var/lib/postfix/master.lock is missing
",
    good: "
==> main.cf <==
data_directory = /var/lib/postfix
mail_owner = postfix
==> host <==
/var/lib/postfix has mode 700
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(seen) = &context.seen else { return };
    for view in context.views() {
        let (directory, origin) = view.value("data_directory", Within::Main);
        let owner = view.value("mail_owner", Within::Main).0;
        let (Ok(directory), Ok(owner)) = (directory, owner) else { continue };
        let Some(place) = origin.span().or_else(|| first_entry(context)) else { continue };
        if !directory.starts_with(b"/") {
            continue;
        }
        let (Some(there), Some(account)) =
            (seen.file(&directory).there(), seen.user(&owner).there())
        else {
            continue;
        };
        if there.owner != account.user && !there.has_access_list {
            let lock = [&directory, b"/master.lock".as_slice()].concat();
            let starts = there.allows(account, 2) || !seen.file(&lock).is_missing();
            let severity = if starts { Severity::Warning } else { Severity::Error };
            let (directory, owner) = (shown(&directory), shown(&owner));
            let number = there.owner;
            let text =
                format!("\"{directory}\" belongs to user {number}, and Postfix runs as \"{owner}\"");
            findings.milder(severity, place, text).help(format!("chown {owner} {directory}"));
        }
    }
}
