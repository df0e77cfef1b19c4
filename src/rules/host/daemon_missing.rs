//! A service whose program is not there.

use crate::config::Within;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

use super::shown;

pub(super) static RULE: Rule = Rule {
    id: "daemon-missing",
    severity: Severity::Error,
    summary: "the program of a service is not in daemon_directory",
    doc: "
master(8) starts the program that the last column of master.cf names, from
daemon_directory. Where there is none it logs \"No such file or directory\" and
\"bad command startup -- throttling\", and the service does nothing: mail for it
waits, and clients of a port are turned away.

It may be misspelt, belong to a newer Postfix, or to a package that is not
installed. A program of another kind is started by spawn(8) or pipe(8).

Looked at in a live directory, or with `--host`.
",
    postfix_says: "bad command startup -- throttling",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
==> master.cf <==
smtp inet n - n - - smtpdd
#                   ^^^^^^ there is no such program in daemon_directory
==> host <==
$daemon_directory/smtpdd is missing
",
    good: "
==> main.cf <==
==> master.cf <==
smtp inet n - n - - smtpd
#smtps inet n - n - - smtpdd
==> host <==
$daemon_directory/smtpdd is missing
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let (Some(seen), Some(services)) = (&context.seen, &context.services) else { return };
    let value = context.effective().map(|it| it.value("daemon_directory", Within::Main).0);
    let Some(Ok(directory)) = value else { return };
    // Where there is no Postfix at all, no line is to blame.
    if !directory.starts_with(b"/")
        || seen.file(&[&directory[..], b"/master"].concat()).there().is_none()
    {
        return;
    }
    for service in services.all() {
        let path = [&directory, b"/".as_slice(), service.field(7)].concat();
        if seen.file(&path).is_missing() {
            let text = "there is no such program in daemon_directory";
            let place = services.span(service.field_range(7));
            findings.at(place, text).help(format!("Postfix looks for {}", shown(&path)));
        }
    }
}
