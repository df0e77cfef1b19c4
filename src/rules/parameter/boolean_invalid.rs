//! `on` and `true`.

use super::{read_values, refused, shown, unquoted, written};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::Type;

pub(super) static RULE: Rule = Rule {
    id: "boolean-invalid",
    severity: Severity::Error,
    summary: "a value is neither yes nor no",
    doc: "
A parameter that is a switch takes `yes` and `no`, in any case, and nothing else.
The program that reads anything else, such as `true`, `1`, quotes or no value at
all, exits at its start with \"bad boolean configuration\". `postfix check` and
`postconf` say nothing.

Where no service in master.cf runs such a program it is a warning.
",
    postfix_says: "bad boolean configuration: smtpd_helo_required = on",
    fix: FixKind::Sometimes,
    bad: "
smtpd_helo_required = on
#                     ^^ \"on\" is neither yes nor no
",
    good: "
smtpd_helo_required = YES
disable_vrfy_command = ${stress?{yes}:{no}}
biff = $smtpd_helo_required
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for it in read_values(context, &[Type::Bool]) {
        let is = |word: &str| it.value.eq_ignore_ascii_case(word.as_bytes());
        if is("yes") || is("no") {
            continue;
        }
        let meant = match unquoted(&it.value).to_ascii_lowercase().as_slice() {
            b"yes" | b"true" | b"on" | b"1" | b"y" => Some("yes"),
            b"no" | b"false" | b"off" | b"0" | b"n" => Some("no"),
            _ => None,
        };
        let fix = meant.and_then(|meant| written(context, &it, meant));
        refused(findings, &it, format!("{} is neither yes nor no", shown(&it.value)), fix);
    }
}
