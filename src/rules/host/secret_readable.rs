//! Passwords that everybody may read.

use crate::config::holds_passwords;
use crate::finding::Severity;
use crate::lint::seen::Found;
use crate::lint::{Context, Findings, FixKind, Rule};

use super::{ANYBODY, named, table_files};

pub(super) static RULE: Rule = Rule {
    id: "secret-readable",
    severity: Severity::Warning,
    summary: "every user of the host may read the passwords in a lookup table",
    doc: "
smtp_sasl_password_maps and lmtp_sasl_password_maps hold the passwords with which
Postfix logs in at other servers, in clear. The source file and the indexed file
hold the same. Postfix opens both as root, so that mode 600 is enough, for the two
of them, or a directory with mode 700.

Looked at in a live directory, or with `--host`.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_sasl_password_maps = lmdb:/etc/postfix/sasl_passwd
#                              ^^^^^^^^^^^^^^^^^^^^^^^^ every user may read \"/etc/postfix/sasl_passwd.lmdb\"
==> sasl_passwd <==
[relay.example] user:password
==> host <==
/etc/postfix/sasl_passwd has mode 600
/etc/postfix/sasl_passwd.lmdb has mode 644
",
    good: "
==> main.cf <==
smtp_sasl_password_maps = lmdb:/etc/postfix/sasl/passwd texthash:/etc/postfix/passwords
==> host <==
/etc/postfix/sasl has mode 750
/etc/postfix/passwords has mode 640
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(seen) = &context.seen else { return };
    for file in table_files(context) {
        if !holds_passwords(&file.table.parameter) {
            continue;
        }
        let mut paths = file.read_files();
        paths.insert(0, file.path.to_vec());
        paths.dedup();
        let readable = |it: &&Vec<u8>| seen.may_read(ANYBODY, it) == Found::There(());
        let paths: Vec<String> =
            paths.iter().filter(readable).map(|it| named(it)).collect();
        if !paths.is_empty() {
            findings.at(file.span(), format!("every user may read {}", paths.join(" and ")));
        }
    }
}
