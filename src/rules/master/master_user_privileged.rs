//! Commands that would run as root or as Postfix itself.

use super::attributes;
use crate::config::Within;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::text::shortened;

pub(super) static RULE: Rule = Rule {
    id: "master-user-privileged",
    severity: Severity::Error,
    summary: "pipe(8) or spawn(8) is to run a command as a user that it refuses",
    doc: "
A command gets data from strangers. pipe(8) and spawn(8) run it neither as root
nor as the owner of the queue (mail_owner), nor with the group of one of them or,
in pipe(8), the group of postdrop(1) (setgid_group). They exit each time
that they should run the command: the mail waits, or the client gets no answer.

Give the command a user of its own. Only names are looked at here: a user with
another name may be refused too.
",
    postfix_says: "user= command-line attribute specifies mail system owner",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
default_transport = filter
==> master.cf <==
filter    unix  -       n       n       -       -       pipe
  user=postfix argv=/bin/true
#      ^^^^^^^ pipe(8) runs nothing as \"postfix\"
",
    good: "
==> main.cf <==
default_transport = filter
==> master.cf <==
filter    unix  -       n       n       -       -       pipe
  user=nobody:nogroup argv=/bin/true user=root
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let (Some(services), Some(effective)) = (&context.services, context.effective()) else { return };
    let value = |name| effective.value(name, Within::Main).0.unwrap_or_default();
    let (owner, setgid) = (value("mail_owner"), value("setgid_group"));
    for service in services.all() {
        let given = attributes(&service).unwrap_or_default();
        // The last one counts.
        let Some(user) = given.iter().rfind(|it| it.name == "user") else { continue };
        let words = service.bytes(user.value.clone());
        let end = words.iter().position(|it| *it == b':').unwrap_or(words.len());
        let (name, group) = (&words[..end], words.get(end + 1..).unwrap_or_default());
        let start = user.value.start;
        let is_pipe = service.field(7) == b"pipe";
        let refused = if name == b"root" || name == owner {
            start..start + end
        } else if group == b"root" || (is_pipe && group == setgid && !setgid.is_empty()) {
            start + end + 1..user.value.end
        } else {
            continue;
        };
        let shown = String::from_utf8_lossy(service.bytes(refused.clone())).into_owned();
        let program = String::from_utf8_lossy(service.field(7));
        let text = format!("{program}(8) runs nothing as \"{}\"", shortened(&shown));
        findings.at(services.span(service.locate(refused)), text);
    }
}
