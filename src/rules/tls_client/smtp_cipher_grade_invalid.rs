//! Words that are no cipher grade.

use super::{each_client, level_settings, shown};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::CipherGrade;

pub(super) static RULE: Rule = Rule {
    id: "smtp-cipher-grade-invalid",
    severity: Severity::Error,
    summary: "the client's cipher grade does not exist",
    doc: "
smtp(8) looks at smtp_tls_ciphers where it uses opportunistic TLS, at
smtp_tls_mandatory_ciphers where TLS is mandatory, and only when a session starts.
With a word that is no grade it starts none and all mail waits; at level may it
goes out **in clear text** once it has waited for minimal_backoff_time. `postfix
check` says nothing. On an empty value smtp(8) exits.

The grades are high and medium. There are low, export and null too, and null
leaves no cipher where TLS is mandatory. A list of
ciphers belongs into no main.cf, exclusions belong into smtp_tls_exclude_ciphers.
",
    postfix_says: "invalid cipher grade: \"strong\"",
    fix: FixKind::Sometimes,
    bad: "
smtp_tls_security_level = may
smtp_tls_ciphers = strong
#                  ^^^^^^ \"strong\" is no cipher grade: smtp(8) cannot start TLS
",
    good: "
smtp_tls_security_level = may
smtp_tls_ciphers = HIGH
# not read at level may
smtp_tls_mandatory_ciphers = HIGH:!aNULL
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    each_client(context, &mut |seen| {
        for setting in level_settings(seen, "ciphers") {
            let (program, grade) = (seen.client.program, shown(&setting.given.value));
            let text = match CipherGrade::parse(&setting.given.value) {
                None if setting.given.value.is_empty() => format!("{program}(8) exits on an empty value"),
                None => format!("\"{grade}\" is no cipher grade: {program}(8) cannot start TLS"),
                // Where TLS is mandatory its ciphers are excluded.
                Some(CipherGrade::Null) if setting.given.name.contains("mandatory") => {
                    format!("null has no cipher that encrypts: {program}(8) cannot start TLS")
                }
                Some(_) => continue,
            };
            let finding = findings.milder(setting.severity, setting.span, text).help("high or medium");
            finding.fix = context.rewrite_as_one_of(setting.span, &setting.given.value, &["high", "medium"]);
        }
    });
}
