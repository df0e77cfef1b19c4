//! The client's level.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::SecurityLevel;

pub(super) static RULE: Rule = Rule {
    id: "smtp-tls-level-invalid",
    severity: Severity::Error,
    summary: "the client's TLS security level does not exist",
    doc: "
smtp(8) and lmtp(8) exit at their start when they do not know the level; all
mail that they should deliver waits in the queue. `postfix check` says nothing.

The levels are none, may, encrypt, dane, dane-only, fingerprint, verify and
secure, in upper or lower case.
",
    postfix_says: "Invalid TLS level \"encrypted\"",
    fix: FixKind::Sometimes,
    bad: "
smtp_tls_security_level = encrypted
#                         ^^^^^^^^^ smtp(8) exits on \"encrypted\"
",
    good: "
smtp_tls_security_level = Encrypt
lmtp_tls_security_level =
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for client in ["smtp", "lmtp"] {
        for level in super::levels(context, &format!("{client}_tls_security_level")) {
            if SecurityLevel::parse(&level.value).is_none() {
                let finding = findings.at(level.span, format!("{client}(8) exits on \"{}\"", level.shown()));
                finding.help(format!("one of {}", SecurityLevel::names()));
                let names = SecurityLevel::ALL.map(SecurityLevel::name);
                finding.fix = context.rewrite_as_one_of(level.span, &level.value, &names);
            }
        }
    }
}
