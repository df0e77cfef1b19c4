//! Words that a daemon does not take.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::syntax::master_cf::Argument;
use crate::text::shortened;

pub(super) static RULE: Rule = Rule {
    id: "master-stray-argument",
    severity: Severity::Error,
    summary: "a program in master.cf gets a word that it does not take",
    doc: "
Postfix's own programs take options and nothing else, but for pipe(8) and
spawn(8). smtpd(8) and the others exit when they are given a word more.

Typical causes: a comment behind the fields, since `#` is a comment only where
a line begins with it; a blank inside a `-o` value, which ends the value:
`-o smtpd_recipient_restrictions=permit_mynetworks, reject`. Values with blanks
stand in braces: `-o { name = value }`.
",
    postfix_says: "unexpected command-line argument: #",
    fix: FixKind::Sometimes,
    bad: "
==> main.cf <==
smtp_tls_loglevel = 1
==> master.cf <==
smtp      inet  n       -       n       -       -       smtpd # receives
#                                                             ^ smtpd(8) does not take \"#\"
",
    good: "
==> main.cf <==
smtp_tls_loglevel = 1
==> master.cf <==
# receives
smtp      inet  n       -       n       -       -       smtpd -v
maildrop  unix  -       n       n       -       -       pipe
  flags=DRXhu user=nobody argv=/usr/bin/maildrop
",
    check,
};

/// The programs that refuse a word (`unexpected command-line argument` in their sources).
const PROGRAMS: &[&[u8]] = &[
    b"anvil", b"bounce", b"cleanup", b"discard", b"dnsblog", b"error", b"flush", b"local", b"oqmgr",
    b"pickup", b"postlogd", b"proxymap", b"qmgr", b"qmqpd", b"scache", b"showq", b"smtpd", b"tlsmgr",
    b"tlsproxy", b"trivial-rewrite", b"verify", b"virtual",
];

/// Those that take `flags=` and refuse all else (`smtp/smtp.c`, from 3.5).
const WITH_FLAGS: &[&[u8]] = &[b"lmtp", b"smtp"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(services) = &context.services else { return };
    for service in services.all() {
        let program = service.field(7);
        let takes = |word: &[u8]| {
            let flags = word.get(..6).is_some_and(|it| it.eq_ignore_ascii_case(b"flags="));
            word.starts_with(b"-") || (flags && WITH_FLAGS.contains(&program))
        };
        if !PROGRAMS.contains(&program) && !WITH_FLAGS.contains(&program) {
            continue;
        }
        for argument in service.arguments() {
            let range = match argument {
                Argument::Override { assignment, .. } if assignment.value.is_some() => continue,
                // A finding of its own; the words behind it come from the same mistake.
                Argument::Override { .. } | Argument::Dangling(_) => break,
                Argument::Word(range) if takes(service.bytes(range.clone())) => continue,
                Argument::Word(range) => range,
            };
            let word = String::from_utf8_lossy(service.bytes(range.clone())).into_owned();
            let program = String::from_utf8_lossy(program);
            let text = format!("{program}(8) does not take \"{}\"", shortened(&word));
            let span = services.span(service.locate(range));
            let finding = findings.at(span, text);
            finding.help("put a comment on a line above, and a value with blanks in braces");
            finding.fix = context.move_comment(service.field_range(0).start, span);
            // What follows belongs to it.
            break;
        }
    }
}
