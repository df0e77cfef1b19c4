//! Times that are too short or too long.

use super::time_invalid::seconds;
use super::{read_values, refused, shown};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::Type;

pub(super) static RULE: Rule = Rule {
    id: "time-out-of-range",
    severity: Severity::Error,
    summary: "a time is shorter or longer than Postfix takes it",
    doc: "
Most times must be at least a second, and a few have a largest value:
in_flow_delay is at most 10 seconds, and what keeps mail or TLS sessions at most
100 days. The program that reads one beyond these exits at its start. `postfix
check` and `postconf` say nothing.

A number without a unit has the one of the default: `maximal_queue_lifetime =
300` is 300 days.

Where no service in master.cf runs such a program it is a warning.
",
    postfix_says: "invalid smtpd_timeout: 0 (min 1)",
    fix: FixKind::Never,
    bad: "
smtpd_timeout = 0s
#               ^^ \"0s\" is less than 1 second
",
    good: "
smtpd_timeout = 1s
maximal_queue_lifetime = 100
bounce_queue_lifetime = 100
smtpd_error_sleep_time = 0
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for it in read_values(context, &[Type::Time]) {
        let Some(time) = seconds(&it, &it.value) else { continue };
        let value = shown(&it.value);
        let text = match (it.limit.least, it.limit.most) {
            (Some(least), _) if time < least => format!("{value} is less than {}", in_words(least)),
            (_, Some(most)) if time > most => format!("{value} is more than {}", in_words(most)),
            (None | Some(_), None | Some(_)) => continue,
        };
        refused(findings, &it, text, None);
    }
}

fn in_words(seconds: i64) -> String {
    match seconds {
        1 => "1 second".to_owned(),
        8_640_000 => "100 days".to_owned(),
        _ => format!("{seconds} seconds"),
    }
}
