//! `/var/spool/postfix/etc/resolv.conf`

use crate::config::Within;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

use super::shown;

pub(super) static RULE: Rule = Rule {
    id: "chroot-copy-differs",
    severity: Severity::Warning,
    summary: "a file in the chroot jail differs from the one that it is a copy of",
    doc: "
A service with `y` in the chroot column of master.cf sees queue_directory as the
root of the file system, and the copies of /etc/resolv.conf, /etc/hosts and others
that somebody has put there. Where a copy is out of date, the service asks the
wrong name server, or does not find a host that all others find. `postfix check`
warns of the difference.

Copy the file again. Distributions do so when Postfix starts; a reload may not.

Looked at in a live directory, or with `--host`.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
==> master.cf <==
smtp unix - - y - - smtp
#             ^ \"/var/spool/postfix/etc/resolv.conf\" differs from \"/etc/resolv.conf\"
==> host <==
/var/spool/postfix/etc/resolv.conf differs from /etc/resolv.conf
",
    good: "
==> main.cf <==
compatibility_level = 2
==> master.cf <==
smtp unix - - n - - smtp
relay unix - - - - - smtp
==> host <==
/var/spool/postfix/etc/resolv.conf differs from /etc/resolv.conf
",
    check,
};

/// What libraries read in a jail.
const COPIES: [&[u8]; 6] = [
    b"/etc/host.conf",
    b"/etc/hosts",
    b"/etc/localtime",
    b"/etc/nsswitch.conf",
    b"/etc/resolv.conf",
    b"/etc/services",
];

fn check(context: &Context<'_>, findings: &mut Findings) {
    let (Some(seen), Some(services)) = (&context.seen, &context.services) else { return };
    let Some(effective) = context.effective() else { return };
    let value = |name| effective.value(name, Within::Main).0.unwrap_or_default();
    // `-` means yes at level 0, and no from 1 on (master/master_ent.c).
    let level = value("compatibility_level");
    let is_level_0 = level.iter().take_while(|it| it.is_ascii_digit()).all(|it| *it == b'0');
    let in_jail = |field: &[u8]| field == b"y" || (field == b"-" && is_level_0);
    let Some(service) = services.all().find(|it| in_jail(it.field(4))) else { return };
    let jail = value("queue_directory");
    for original in COPIES {
        let copy = [&jail, original].concat();
        if jail.starts_with(b"/") && seen.differ(&copy, original) {
            let text = format!("\"{}\" differs from \"{}\"", shown(&copy), shown(original));
            findings.at(services.span(service.field_range(4)), text);
        }
    }
}
