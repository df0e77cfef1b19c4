//! mail_owner and its kin.

use crate::config::Within;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

use super::shown;

pub(super) static RULE: Rule = Rule {
    id: "unknown-account",
    severity: Severity::Error,
    summary: "main.cf names a user or group that the host does not have",
    doc: "
Postfix runs as the user of mail_owner, setgid_group is the group of the programs
that take in mail, and default_privs is the user for programs that mail
is piped to. Where the host does not have one of them, all programs of Postfix
stop with a fatal error.

Looked at in a live directory, or with `--host`.
",
    postfix_says: "parameter mail_owner: unknown user name value: postls-nobody\nparameter mail_owner: user postls-nobody\npostfix does not start",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
mail_owner = postls-nobody
#            ^^^^^^^^^^^^^ the host has no user \"postls-nobody\"
==> host <==
user postls-nobody is missing
",
    good: "
==> main.cf <==
default_privs = nobody
==> host <==
user postls-nobody is missing
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(seen) = &context.seen else { return };
    for view in context.views() {
        for name in ["default_privs", "mail_owner", "setgid_group"] {
            let (value, origin) = view.value(name, Within::Main);
            let (Ok(value), Some(span)) = (value, origin.span()) else { continue };
            let (found, what) = match name {
                "setgid_group" => (seen.group(&value), "group"),
                _ => (seen.user(&value), "user"),
            };
            if found.is_missing() && !value.contains(&b' ') {
                findings.at(span, format!("the host has no {what} \"{}\"", shown(&value)));
            }
        }
    }
}
