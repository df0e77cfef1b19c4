//! Exclusions with operators of OpenSSL.

use super::{each_client, level_settings, shown};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::refused_exclusion;

pub(super) static RULE: Rule = Rule {
    id: "smtp-cipher-exclusion-invalid",
    severity: Severity::Error,
    summary: "an excluded cipher of the client begins with an operator",
    doc: "
The lists of excluded ciphers name ciphers, and Postfix puts a `!` before each. A
word that begins with `!`, `+`, `-` or `@` itself makes smtp(8) start no TLS: all
mail waits, and at level may it goes out **in clear text** once it has waited for
minimal_backoff_time.

smtp_tls_exclude_ciphers holds at all levels, smtp_tls_mandatory_exclude_ciphers
where TLS is mandatory.
",
    postfix_says: "invalid unary '!+-@' in cipher exclusion: !RC4",
    fix: FixKind::Never,
    bad: "
smtp_tls_security_level = may
smtp_tls_exclude_ciphers = aNULL, !RC4
#                          ^^^^^^^^^^^ \"!RC4\" begins with an operator: smtp(8) cannot start TLS
",
    good: "
smtp_tls_security_level = may
smtp_tls_exclude_ciphers = aNULL, RC4
# not read at level may
smtp_tls_mandatory_exclude_ciphers = !MD5
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    each_client(context, &mut |seen| {
        for setting in level_settings(seen, "exclude_ciphers") {
            let Some(range) = refused_exclusion(&setting.given.value) else { continue };
            let (word, program) = (shown(&setting.given.value[range]), seen.client.program);
            let text = format!("\"{word}\" begins with an operator: {program}(8) cannot start TLS");
            findings.milder(setting.severity, setting.span, text).help("name the cipher alone");
        }
    });
}
