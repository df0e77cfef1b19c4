//! Exclusions that leave no cipher.

use super::{each_client, level_settings, words};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "smtp-ciphers-empty",
    severity: Severity::Error,
    summary: "all ciphers of the client are excluded",
    doc: "
smtp_tls_exclude_ciphers holds at all levels, smtp_tls_mandatory_exclude_ciphers as
well where TLS is mandatory. If they leave no cipher of the grade smtp(8) cannot start
TLS, even with TLSv1.3, whose ciphers they do not touch: all mail waits, and at level
may it goes out **in clear text** once it has waited for minimal_backoff_time.

Found are ALL, and HIGH where the grade is high.
",
    postfix_says: "error setting cipher grade",
    fix: FixKind::Never,
    bad: "
smtp_tls_security_level = may
smtp_tls_exclude_ciphers = ALL, aNULL
#                          ^^^^^^^^^^ ALL leaves no cipher
",
    good: "
smtp_tls_security_level = may
smtp_tls_exclude_ciphers = MEDIUM, aNULL
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    each_client(context, &mut |seen| {
        let grades = level_settings(seen, "ciphers");
        // A list that somebody changed may have other ciphers than those that it is named after.
        let changed = seen.client.common("tls_high_cipherlist").is_none_or(|it| it.set.is_some());
        let is_high = !grades.is_empty()
            && grades.iter().all(|it| it.given.value.eq_ignore_ascii_case(b"high"))
            && !changed;
        for setting in level_settings(seen, "exclude_ciphers") {
            let excluded = words(&setting.given.value)
                .find(|it| *it == b"ALL" || (is_high && *it == b"HIGH"))
                .map(String::from_utf8_lossy);
            if let Some(excluded) = excluded {
                let text = format!("{excluded} leaves no cipher");
                findings.milder(setting.severity, setting.span, text);
            }
        }
    });
}
