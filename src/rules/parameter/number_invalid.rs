//! `10MB`

use super::{read_values, refused, shown, unquoted, written};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::Type;
use crate::syntax::is_space;

pub(super) static RULE: Rule = Rule {
    id: "number-invalid",
    severity: Severity::Error,
    summary: "a value is not a number",
    doc: "
A number is written in decimal digits, with a sign in front or without, and with
nothing behind it: no unit, no blank, no quotes, no comma. It fits into 32 bits,
those of message_size_limit, mailbox_size_limit, virtual_mailbox_limit,
queue_minfree and lmdb_map_size into 64. The
program that reads anything else exits at its start with \"bad numerical
configuration\". `postfix check` and `postconf` say nothing.

Where no service in master.cf runs such a program it is a warning.
",
    postfix_says: "bad numerical configuration: smtpd_recipient_limit = 1k",
    fix: FixKind::Sometimes,
    bad: "
smtpd_recipient_limit = 1k
#                       ^^ \"1k\" is not a number
",
    good: "
message_size_limit = 10240000
mailbox_size_limit = 4294967296
smtpd_error_sleep_time = 1s
smtpd_soft_error_limit = ${stress?{3}:{10}}
smtpd_hard_error_limit = +20
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for it in read_values(context, &[Type::Int]) {
        if number(&it.name, &it.value).is_some() {
            continue;
        }
        let inner = unquoted(&it.value);
        let meant = str::from_utf8(inner).ok().filter(|_| number(&it.name, inner).is_some());
        let fix = meant.and_then(|meant| written(context, &it, meant));
        refused(findings, &it, format!("{} is not a number", shown(&it.value)), fix);
    }
}

/// What `strtol` makes of the whole value, if it does and the parameter can hold it.
pub(super) fn number(name: &str, value: &[u8]) -> Option<i64> {
    let blanks = value.iter().take_while(|it| is_space(**it)).count();
    let number: i64 = str::from_utf8(&value[blanks..]).ok()?.parse().ok()?;
    let is_long = LONG.contains(&name);
    (is_long || i32::try_from(number).is_ok()).then_some(number)
}

/// Those that are a `long` (`CONFIG_LONG_TABLE`), which is 64 bits nearly everywhere.
const LONG: [&str; 5] = [
    "lmdb_map_size",
    "mailbox_size_limit",
    "message_size_limit",
    "queue_minfree",
    "virtual_mailbox_limit",
];
