//! Allows that allow nothing.

use crate::finding::{Finding, Severity};
use crate::lint::seen::Seen;
use crate::lint::{self, Context, Covers, Findings, FixKind, Rule};
use crate::rules;

pub(super) static RULE: Rule = Rule {
    id: "allow-unused",
    severity: Severity::Warning,
    summary: "an allow allows nothing",
    doc: "
The rule finds nothing where the allow is about: the line was mended, has moved
away from the comment, or never was what it was taken for. Remove the allow,
before it hides the next mistake.

A comment is about the logical line directly below it, with nothing but comments
between them.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
# postls: allow(inline-comment) the value really has it
#               ^^^^^^^^^^^^^^ it finds nothing in the line below
smtp_tls_security_level = may
",
    good: "
# postls: allow(inline-comment) the value really has it
# more about that
smtpd_banner = $myhostname # ESMTP
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut known: Vec<(&str, Vec<Finding>)> = Vec::new();
    for allow in context.allows().allows.iter().filter(|it| it.is_in_force(context.today)) {
        let name = allow.rule.value.as_str();
        // This one would ask itself.
        let Some(rule) = rules::find(name).filter(|it| it.id != RULE.id) else { continue };
        let found = match known.iter().position(|it| it.0 == name) {
            Some(at) => &known[at].1,
            None => {
                known.push((name, lint::run(rule, context)));
                &known[known.len() - 1].1
            }
        };
        // Where nobody has looked at the host, nobody knows what would be found.
        let not_seen = || context.seen.as_ref().is_none_or(Seen::has_open);
        if rules::of_topic("host").iter().any(|it| it.id == rule.id) && not_seen() {
            continue;
        }
        if !found.iter().any(|it| allow.covers(it)) {
            let text = match allow.covers {
                Covers::Directory => "it finds nothing in this directory",
                Covers::Line(_) => "it finds nothing in the line below",
                Covers::Nothing => "no logical line stands directly below",
            };
            findings.at(allow.rule.span, text);
        }
    }
}
