//! Directories of authorities in which OpenSSL finds none.

use crate::certificate::trust;
use crate::config::{Effective, TrustKind, TrustUse, Within};
use crate::finding::Severity;
use crate::lint::seen::Found;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "ca-path-without-hashes",
    severity: Severity::Error,
    summary: "no authority is found in a directory",
    doc: "
In the directory of smtp_tls_CApath or smtpd_tls_CApath OpenSSL looks for an
authority under the hash of its name: `9d66eef0.0`. Files with other names are
never opened, and Postfix does not complain. Where nothing else names authorities
and the level is verify or secure, no server is trusted, and all mail waits; there
this is an error. Elsewhere it is a warning: the parameter does nothing.

`openssl rehash DIRECTORY` makes the links. A service with chroot looks for the
directory inside of the queue directory; smtp_tls_CAfile, which is read before,
is simpler.
",
    postfix_says: "Server certificate not verified\nServer certificate not trusted",
    fix: FixKind::Never,
    bad: concat!(
        "==> main.cf <==\n\
         smtp_tls_security_level = secure\n\
         smtp_tls_CApath = /etc/postfix/authorities\n\
         #                 ^^^^^^^^^^^^^^^^^^^^^^^^ no name in it is the hash of an authority\n\
         smtp_tls_CAfile =\n\
         ==> authorities/root.pem <==\n",
        include_str!("examples/root.pem"),
    ),
    good: "
smtp_tls_security_level = secure
smtp_tls_CApath = /etc/postfix/authorities
smtp_tls_CAfile = /etc/postfix/ca.pem
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for view in context.views() {
        let appends = view.value("tls_append_default_CA", Within::Main).0.unwrap_or_default();
        let appends = !appends.eq_ignore_ascii_case(b"no");
        let all = view.trust_uses(context.sources);
        for it in all.iter().filter(|it| it.kind == TrustKind::Directory) {
            let stops_mail = it.is_needed && it.is_alone && !appends && it.program != "smtpd";
            let severity = if stops_mail { Severity::Error } else { Severity::Warning };
            for (path, whose) in opened(&view, it) {
                let text = match context.files.names(&path) {
                    Found::Unknown => continue,
                    Found::Missing if !whose.is_empty() && !it.is_needed && fills_jail(context) => {
                        continue;
                    }
                    Found::Missing => format!("there is no such directory{whose}"),
                    Found::There(names) => {
                        if !trust::hash_links(names.iter().map(Vec::as_slice)).is_empty() {
                            continue;
                        }
                        format!("no name in it is the hash of an authority{whose}")
                    }
                };
                let help = "make the links with openssl rehash, or name a file with CAfile";
                findings.milder(severity, it.file.span, text).help(help);
            }
        }
    }
}

/// Whether whoever starts Postfix copies such directories into the jail, as Debian's script does.
fn fills_jail(context: &Context<'_>) -> bool {
    let seen = context.seen.as_ref();
    seen.is_some_and(|it| it.file(b"/usr/lib/postfix/configure-instance.sh").there().is_some())
}

/// The directories that the program's services open, and what to say of them: in a jail another one.
fn opened(view: &Effective<'_>, it: &TrustUse) -> Vec<(Vec<u8>, &'static str)> {
    let queue = view.value("queue_directory", Within::Main).0.unwrap_or_default();
    let services = view.scopes.iter().filter(|one| one.program() == it.program.as_bytes());
    let jails: Vec<bool> = services.map(|it| view.is_in_jail(&it.chroot)).collect();
    let path = &it.file.path;
    let outside = (path.clone(), "");
    let inside = ([&queue, path.as_slice()].concat(), " in the chroot jail, queue_directory");
    let is_jailed = queue.starts_with(b"/") && path.starts_with(b"/") && jails.contains(&true);
    match (is_jailed, jails.contains(&false)) {
        (true, true) => vec![outside, inside],
        (true, false) => vec![inside],
        (false, _) => vec![outside],
    }
}
