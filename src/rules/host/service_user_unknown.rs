//! `user=` of a pipe or spawn service.

use crate::finding::Severity;
use crate::lint::seen::Seen;
use crate::lint::{Context, Findings, FixKind, Rule};

use super::{in_use, shown, words_of};

pub(super) static RULE: Rule = Rule {
    id: "service-user-unknown",
    severity: Severity::Error,
    summary: "a service is to run a program as a user that the host does not have",
    doc: "
pipe(8) and spawn(8) run programs as the user, and the group, of `user=`. Where
the host has no such account they exit with \"unknown username\" or \"unknown
group\" whenever they are asked, and the mail or the client waits.

Only services that something names are looked at: files of distributions have
examples for software that is not installed.

Looked at in a live directory, or with `--host`.
",
    postfix_says: "get_service_attr: unknown username: postls-nobody",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
default_transport = filter
==> master.cf <==
filter unix - n n - - pipe user=postls-nobody argv=/bin/cat
#                               ^^^^^^^^^^^^^ the host has no user \"postls-nobody\"
==> host <==
user postls-nobody is missing
",
    good: "
==> main.cf <==
==> master.cf <==
maildrop unix - n n - - pipe user=postls-nobody argv=/usr/bin/maildrop
==> host <==
user postls-nobody is missing
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let (Some(seen), Some(services)) = (&context.seen, &context.services) else { return };
    for service in services.all().filter(|it| in_use(context, it)) {
        for word in words_of(&service) {
            let text = service.bytes(word.clone());
            // Case does not count in the name.
            if text.len() <= 5 || !text[..5].eq_ignore_ascii_case(b"user=") {
                continue;
            }
            let start = word.start + 5;
            let colon = text[5..].iter().position(|it| *it == b':');
            let end = colon.map_or(word.end, |it| start + it);
            let user = start..end;
            let group = colon.map(|_| end + 1..word.end);
            let missing = if is_missing_user(seen, service.bytes(user.clone())) {
                Some((user, "user"))
            } else {
                group
                    .filter(|it| seen.group(service.bytes(it.clone())).is_missing())
                    .map(|it| (it, "group"))
            };
            if let Some((range, what)) = missing {
                let name = shown(service.bytes(range.clone()));
                let place = services.span(service.locate(range));
                findings.at(place, format!("the host has no {what} \"{name}\""));
            }
        }
    }
}

fn is_missing_user(seen: &Seen, name: &[u8]) -> bool {
    seen.user(name).is_missing()
}
