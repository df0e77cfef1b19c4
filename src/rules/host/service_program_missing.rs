//! `argv=` of a pipe or spawn service.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

use super::{in_use, shown, words_of};

pub(super) static RULE: Rule = Rule {
    id: "service-program-missing",
    severity: Severity::Error,
    summary: "a service is to run a program that is not there",
    doc: "
pipe(8) runs the program of `argv=` for each message. Where the file is not
there it logs \"No such file or directory\", and the mail waits, until it is
returned.

Only services that something names are looked at, and only programs with a whole
path: files of distributions have examples for software that is not installed.

Looked at in a live directory, or with `--host`.
",
    postfix_says: "No such file or directory",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
default_transport = filter
==> master.cf <==
filter unix - n n - - pipe user=nobody argv=/usr/lib/postls-filter -f ${sender}
#                                           ^^^^^^^^^^^^^^^^^^^^^^ there is no such file
==> host <==
/usr/lib/postls-filter is missing
",
    good: "
==> main.cf <==
default_transport = filter
==> master.cf <==
filter unix - n n - - pipe user=nobody argv=/bin/true
maildrop unix - n n - - pipe user=nobody argv=/usr/lib/postls-filter
==> host <==
/usr/lib/postls-filter is missing
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let (Some(seen), Some(services)) = (&context.seen, &context.services) else { return };
    for service in services.all().filter(|it| in_use(context, it)) {
        for word in words_of(&service) {
            let text = service.bytes(word.clone());
            if text.len() <= 5 || !text[..5].eq_ignore_ascii_case(b"argv=") {
                continue;
            }
            let path = word.start + 5..word.end;
            let is_plain = text[5] == b'/' && !shown(text).contains(['$', '{']);
            if is_plain && seen.file(service.bytes(path.clone())).is_missing() {
                findings.at(services.span(service.locate(path)), "there is no such file");
            }
            // The rest are the program's own arguments.
            break;
        }
    }
}
