//! Files of authorities that cannot be loaded.

use crate::certificate::trust;
use crate::config::TrustKind;
use crate::finding::Severity;
use crate::lint::seen::Found;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "ca-file-unusable",
    severity: Severity::Error,
    summary: "the file with trusted authorities cannot be loaded",
    doc: "
smtpd_tls_CAfile and smtp_tls_CAfile name a PEM file with certificates of
authorities. Where there is no such file, no certificate in it, or one that is
damaged, Postfix switches TLS off, even where nobody asks for certificates:
smtpd(8) answers that TLS is not available, smtp(8) sends in clear text where TLS
is opportunistic, and not at all where it is mandatory.

The system's authorities are in /etc/ssl/certs/ca-certificates.crt on Debian and
in /etc/pki/tls/certs/ca-bundle.crt on Red Hat.
",
    postfix_says: "no certificate or crl found\nno certificate found\nno start line",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_tls_security_level = may
smtp_tls_CAfile = /etc/postfix/authorities.pem
#                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ there is no certificate in it
==> authorities.pem <==
to be filled in
",
    good: concat!(
        "==> main.cf <==\n\
         smtp_tls_security_level = may\n\
         smtp_tls_CAfile = /etc/postfix/authorities.pem\n\
         ==> authorities.pem <==\n\
         An authority that has expired or that nobody knows is one.\n",
        include_str!("examples/root.pem"),
    ),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for view in context.views() {
        for it in view.trust_uses(context.sources).iter().filter(|it| it.kind == TrustKind::File) {
            let text = match context.files.bytes(&it.file.path) {
                Found::Unknown => continue,
                Found::Missing => "there is no such file".to_owned(),
                Found::There(bytes) => match trust::ca_file(&bytes) {
                    Ok(_) => continue,
                    Err(why) => why.text,
                },
            };
            let help = "name a PEM file with certificates of authorities, or leave it empty";
            findings.at(it.file.span, text).help(help);
        }
    }
}
