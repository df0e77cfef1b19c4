//! Bounces that would live longer than mail.

use super::read_values;
use super::time_invalid::seconds;
use crate::config::ReadValue;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::Type;

pub(super) static RULE: Rule = Rule {
    id: "bounce-lifetime-too-long",
    severity: Severity::Warning,
    summary: "bounce_queue_lifetime is longer than maximal_queue_lifetime",
    doc: "
qmgr(8) does not keep bounces longer than other mail: it warns and takes
maximal_queue_lifetime for both. Both are 5 days by default, so whoever lowers
maximal_queue_lifetime must lower the other too.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
maximal_queue_lifetime = 3d
#                        ^^ less than bounce_queue_lifetime, which is 5d
",
    good: "
maximal_queue_lifetime = 3d
bounce_queue_lifetime = 72h
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let all = read_values(context, &[Type::Time]);
    let with_name = |name: &str| all.iter().filter(|it| it.name == name && it.is_read).collect::<Vec<_>>();
    let (most, bounces) = (with_name("maximal_queue_lifetime"), with_name("bounce_queue_lifetime"));
    // Of a value that holds for some services only it is not known which goes with which.
    match (most.as_slice(), bounces.as_slice()) {
        ([most], [bounces]) if longer(bounces, &bounces.value, most) => {
            findings
                .at(bounces.span, "longer than maximal_queue_lifetime, and ignored")
                .related(most.span, "it is set here");
        }
        ([most], []) if longer(most, FIVE_DAYS, most) => {
            findings.at(most.span, "less than bounce_queue_lifetime, which is 5d");
        }
        ([], [bounces]) if five_days_is_less(bounces) => {
            findings.at(bounces.span, "longer than maximal_queue_lifetime, which is 5d");
        }
        _ => {}
    }
}

/// The default of both.
const FIVE_DAYS: &[u8] = b"5d";

fn longer(of: &ReadValue, bounces: &[u8], most: &ReadValue) -> bool {
    let times = (seconds(of, bounces), seconds(most, &most.value));
    matches!(times, (Some(bounces), Some(most)) if bounces > most)
}

fn five_days_is_less(bounces: &ReadValue) -> bool {
    let times = (seconds(bounces, &bounces.value), seconds(bounces, FIVE_DAYS));
    matches!(times, (Some(bounces), Some(most)) if bounces > most)
}
