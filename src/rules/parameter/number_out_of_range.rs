//! Numbers that are too small or too large.

use super::number_invalid::number;
use super::{read_values, refused};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::Type;

pub(super) static RULE: Rule = Rule {
    id: "number-out-of-range",
    severity: Severity::Error,
    summary: "a number is smaller or larger than Postfix takes it",
    doc: "
Many numbers have a smallest value and some a largest one. The program that
reads one beyond these exits at its start with \"invalid ... parameter value\".
`postfix check` and `postconf` say nothing. Zero means \"no limit\" only where
postconf(5) says so.

Where no service in master.cf runs such a program it is a warning.
",
    postfix_says: "invalid smtpd_hard_error_limit parameter value 0 < 1",
    fix: FixKind::Never,
    bad: "
smtpd_hard_error_limit = 0
#                        ^ 0 is less than 1
",
    good: "
smtpd_hard_error_limit = 1
default_destination_concurrency_limit = 0
default_delivery_slot_discount = 100
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for it in read_values(context, &[Type::Int]) {
        let Some(number) = number(&it.name, &it.value) else { continue };
        let text = match (it.limit.least, it.limit.most) {
            (Some(least), _) if number < least => format!("{number} is less than {least}"),
            (_, Some(most)) if number > most => format!("{number} is more than {most}"),
            (None | Some(_), None | Some(_)) => continue,
        };
        refused(findings, &it, text, None);
    }
}
