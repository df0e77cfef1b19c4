//! `5 minutes`

use super::{read_values, refused, shown, unquoted, written};
use crate::config::ReadValue;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::Type;
use crate::syntax::is_space;

pub(super) static RULE: Rule = Rule {
    id: "time-invalid",
    severity: Severity::Error,
    summary: "a value is not a time",
    doc: "
A time is a number with the letter of its unit directly behind: s, m, h, d or w
in lower case. Without a letter the unit is the one of the default. The
program that reads anything else, such as a blank in front of the unit, a
fraction, quotes or no value at all, exits at its start with \"bad time value or
unit\". `postfix check` and `postconf` say nothing.

Postfix looks at one letter only: `5min` is five minutes, and `5ms` too.

Where no service in master.cf runs such a program it is a warning.
",
    postfix_says: "bad time value or unit: 5 minutes",
    fix: FixKind::Sometimes,
    bad: "
smtpd_timeout = 5 minutes
#               ^^^^^^^^^ \"5 minutes\" is not a time
",
    good: "
smtpd_timeout = ${stress?{10}:{300}}s
smtpd_starttls_timeout = 5min
queue_run_delay = 300
maximal_queue_lifetime = 0
bounce_queue_lifetime = 0
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for it in read_values(context, &[Type::Time]) {
        if seconds(&it, &it.value).is_some() {
            continue;
        }
        let inner = unquoted(&it.value);
        let joined: Vec<u8> = inner.iter().copied().filter(|it| !is_space(*it)).collect();
        let joined = joined.to_ascii_lowercase();
        // A unit alone, so that nothing else is guessed.
        let is_plain = joined.iter().filter(|it| !it.is_ascii_digit()).count() <= 1;
        let meant = String::from_utf8(joined).ok().filter(|it_| is_plain && seconds(&it, it_.as_bytes()).is_some());
        let fix = meant.and_then(|meant| written(context, &it, &meant));
        refused(findings, &it, format!("{} is not a time", shown(&it.value)), fix);
    }
}

/// What Postfix makes of a time (`global/conv_time.c`).
pub(super) fn seconds(of: &ReadValue, value: &[u8]) -> Option<i64> {
    let blanks = value.iter().take_while(|it| is_space(**it)).count();
    let value = &value[blanks..];
    let signs = usize::from(matches!(value.first(), Some(b'+' | b'-')));
    let digits = value[signs..].iter().take_while(|it| it.is_ascii_digit()).count();
    let number = str::from_utf8(&value[..signs + digits]).ok()?;
    // Without digits `strtol` takes nothing, and the first byte is the unit: `s` is 0 seconds.
    let (number, rest) = match digits {
        0 => (0, value),
        _ => (i64::from(number.parse::<i32>().ok()?), &value[signs + digits..]),
    };
    if value.is_empty() || number < 0 {
        return None;
    }
    // A default that refers to another parameter has seconds.
    let unit = of.default.as_bytes().last().filter(|it| it.is_ascii_alphabetic()).unwrap_or(&b's');
    let unit = match rest.first().unwrap_or(unit) {
        b'w' => 7 * 24 * 3600,
        b'd' => 24 * 3600,
        b'h' => 3600,
        b'm' => 60,
        b's' => 1,
        _ => return None,
    };
    let most = i64::from(i32::MAX) / unit;
    (unit == 1 || number < most).then_some(number * unit)
}
