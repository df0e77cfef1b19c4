//! Process limits that a program does not run with.

use crate::config::Within;
use crate::finding::{Fix, Safety, Severity};
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::text::{Edit, shortened};

pub(super) static RULE: Rule = Rule {
    id: "master-process-limit-unfit",
    severity: Severity::Error,
    summary: "a program is to run under a process limit that it does not take",
    doc: "
Some programs are one process for all: anvil, pickup, postlogd, postscreen,
qmgr, scache, tlsmgr and verify exit at their start where the process limit is
not 1. Others must not be limited: bounce, cleanup, dnsblog, flush and tlsproxy
exit where it is not 0. `-` is the value of default_process_limit. `postfix
check` and `postconf` say nothing.
",
    postfix_says: "requires a process limit of 0",
    fix: FixKind::Always,
    bad: "
==> main.cf <==
smtp_tls_loglevel = 1
==> master.cf <==
cleanup   unix  n       -       n       -       -       cleanup
#                                               ^ cleanup(8) runs only with 0
",
    good: "
==> main.cf <==
smtp_tls_loglevel = 1
==> master.cf <==
cleanup   unix  n       -       n       -       0       cleanup
scache    unix  -       -       n       -       1       scache
smtp      unix  -       -       n       -       0       smtp
",
    check,
};

/// Programs with one process (`MAIL_SERVER_SOLITARY` in their sources).
const ALONE: &[&[u8]] =
    &[b"anvil", b"oqmgr", b"pickup", b"postlogd", b"postscreen", b"qmgr", b"scache", b"tlsmgr", b"verify"];

/// Programs without a limit (`MAIL_SERVER_UNLIMITED`).
const UNLIMITED: &[&[u8]] = &[b"bounce", b"cleanup", b"dnsblog", b"flush", b"tlsproxy"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    let (Some(services), Some(effective)) = (&context.services, context.effective()) else { return };
    let usual = effective.value("default_process_limit", Within::Main).0.unwrap_or_default();
    for service in services.all() {
        let program = service.field(7);
        let wanted = if ALONE.contains(&program) {
            "1"
        } else if UNLIMITED.contains(&program) {
            "0"
        } else {
            continue;
        };
        let field = service.field(6);
        let limit = if field == b"-" { &usual } else { field };
        let number = str::from_utf8(limit).ok().and_then(|it| it.parse::<u32>().ok());
        // What is no number is a finding of its own.
        if number.is_none_or(|it| it.to_string() == wanted) {
            continue;
        }
        let span = services.span(service.field_range(6));
        let program = String::from_utf8_lossy(program);
        let finding = findings.at(span, format!("{program}(8) runs only with {wanted}"));
        if field == b"-" {
            let usual = shortened(&String::from_utf8_lossy(&usual));
            finding.help(format!("- means {usual} here"));
        }
        finding.fix(Fix {
            safety: Safety::Safe,
            title: format!("make it {wanted}"),
            edits: vec![Edit::new(span, wanted)],
        });
    }
}
