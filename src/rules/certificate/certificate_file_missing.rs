//! Files that are not there.

use super::is_missing;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "certificate-file-missing",
    severity: Severity::Error,
    summary: "there is no file of this name for a certificate or key",
    doc: "
Postfix cannot open the file, and switches TLS off: smtpd(8) answers that TLS is not
available, smtp(8) sends in clear text where TLS is opportunistic, and not at all
where it is mandatory. postfix check and postconf say nothing.

A relative name is below the queue directory. In tls_server_sni_maps a row is
skipped where one of its files is not there, and clients that ask for its name get
the usual certificate.

This is looked at where the files have to be: in the directory that Postfix runs
with, and with `--host`.
",
    postfix_says: "No such file or directory",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtpd_tls_security_level = may
smtpd_tls_chain_files = /etc/postfix/fullchain.pem
#                       ^^^^^^^^^^^^^^^^^^^^^^^^^^ there is no such file
==> host <==
/etc/postfix/fullchain.pem is missing
",
    good: "
==> main.cf <==
smtpd_tls_security_level = none
smtpd_tls_chain_files = /etc/postfix/fullchain.pem
==> host <==
/etc/postfix/fullchain.pem is missing
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for named in context.certificates() {
        for file in &named.files.files {
            if file.path.is_empty() {
                let text = format!("{} is empty, and no file is opened", file.parameter);
                let help = format!("remove {}, or set it to the file of the key", file.parameter);
                findings.at(file.span, text).help(help);
            } else if is_missing(context, file) {
                let help = "name the file that is there, or make it";
                findings.at(file.span, "there is no such file").help(help);
            }
        }
    }
}
