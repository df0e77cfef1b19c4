//! `/var/spool/postfix/etc/resolv.conf`

use crate::config::Within;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::syntax::master_cf::ServiceText;

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
    let is_jailed = |it: &ServiceText<'_>| effective.is_in_jail(it.field(4));
    let Some(service) = services.all().find(is_jailed) else { return };
    let jail = effective.value("queue_directory", Within::Main).0.unwrap_or_default();
    for original in COPIES {
        let copy = [&jail, original].concat();
        if jail.starts_with(b"/") && seen.differ(&copy, original) {
            let text = format!("\"{}\" differs from \"{}\"", shown(&copy), shown(original));
            findings.at(services.span(service.field_range(4)), text);
        }
    }
}
