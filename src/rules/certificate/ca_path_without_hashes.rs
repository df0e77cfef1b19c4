//! Directories of authorities in which OpenSSL finds none.

use crate::certificate::trust;
use crate::config::{TrustKind, Within};
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
            let text = match context.files.names(&it.file.path) {
                Found::Unknown => continue,
                Found::Missing => "there is no such directory",
                Found::There(names) => {
                    if !trust::hash_links(names.iter().map(Vec::as_slice)).is_empty() {
                        continue;
                    }
                    "no name in it is the hash of an authority"
                }
            };
            let stops_mail = it.is_needed && it.is_alone && !appends && it.program != "smtpd";
            let severity = if stops_mail { Severity::Error } else { Severity::Warning };
            let help = "make the links with openssl rehash, or name a file with CAfile";
            findings.milder(severity, it.file.span, text).help(help);
        }
    }
}
