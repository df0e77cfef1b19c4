//! A main.cf for root alone.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

use super::{ANYBODY, first_entry};

pub(super) static RULE: Rule = Rule {
    id: "main-cf-unreadable",
    severity: Severity::Warning,
    summary: "users may not read main.cf, so they cannot send mail",
    doc: "
sendmail, mailq and the other programs of Postfix that users run read main.cf as
the user that runs them. Where that user may not read it, or not search the
directory, they stop with \"open …/main.cf: Permission denied\": mail from cron,
from web applications and from monitoring is lost.

Secrets do not belong into main.cf; lookup tables may be root's alone.

Looked at in a live directory, or with `--host`.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
myhostname = mail.example
#^^^^^^^^^ only some users may read main.cf, and sendmail runs as any of them
==> host <==
/etc/postfix/main.cf has mode 640
",
    good: "
==> main.cf <==
myhostname = mail.example
==> master.cf <==
smtp inet n - n - - smtpd
==> host <==
/etc/postfix/main.cf has mode 644
/etc/postfix/master.cf has mode 600
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let (Some(seen), Some(place)) = (&context.seen, first_entry(context)) else { return };
    if seen.may_read(ANYBODY, b"$config_directory/main.cf").is_missing() {
        let text = "only some users may read main.cf, and sendmail runs as any of them";
        findings.at(place, text);
    }
}
