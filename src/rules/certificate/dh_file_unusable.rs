//! Files with parameters for Diffie-Hellman that are ignored.

use crate::certificate::pem;
use crate::finding::Severity;
use crate::lint::seen::Found;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "dh-file-unusable",
    severity: Severity::Error,
    summary: "a file with parameters for Diffie-Hellman is ignored",
    doc: "
smtpd_tls_dh1024_param_file names a file with a block `DH PARAMETERS`. Where there
is no such file or no such block, Postfix takes its own parameters, and warns of it
each time an smtpd(8) starts.

Its own are good, and since Postfix 3.7 the parameter is no longer recommended:
remove it.
",
    postfix_says: "using compiled-in defaults",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtpd_tls_security_level = may
smtpd_tls_dh1024_param_file = /etc/postfix/dh.pem
#                             ^^^^^^^^^^^^^^^^^^^ there are no parameters in it
==> dh.pem <==
to be generated
",
    good: "
smtpd_tls_security_level = may
smtpd_tls_chain_files = /etc/postfix/server.pem
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for view in context.views() {
        // From Postfix 3.7 on "auto" is the name of no file.
        for file in view.dh_files(context.sources).iter().filter(|it| it.path.contains(&b'/')) {
            let text = match context.files.bytes(&file.path) {
                Found::Unknown => continue,
                Found::Missing => "there is no such file",
                Found::There(bytes) => {
                    let mut blocks = pem::read(&bytes);
                    if blocks.any(|it| it.is_ok_and(|it| it.label.ends_with(b"DH PARAMETERS"))) {
                        continue;
                    }
                    "there are no parameters in it"
                }
            };
            let help = "remove the parameter: Postfix has good ones of its own";
            findings.at(file.span, text).help(help);
        }
    }
}
