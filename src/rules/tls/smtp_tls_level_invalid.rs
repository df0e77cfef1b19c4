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
    fix: FixKind::Never,
    bad: "
smtp_tls_security_level = encrypted
#                         ^^^^^^^^^ smtp(8) exits
",
    good: "
smtp_tls_security_level = Encrypt
lmtp_tls_security_level =
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(configuration) = &context.configuration else { return };
    for client in ["smtp", "lmtp"] {
        let name = format!("{client}_tls_security_level");
        let Some((setting, level)) = super::level(configuration, &name) else { continue };
        if !level.is_empty() && SecurityLevel::parse(&level).is_none() {
            findings
                .at(setting.value_span(), format!("{client}(8) exits"))
                .help(format!("one of {}", SecurityLevel::names()));
        }
    }
}
