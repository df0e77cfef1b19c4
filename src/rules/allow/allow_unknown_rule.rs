//! Allows of rules that do not exist.

use crate::finding::Severity;
use crate::lint::{Context, Covers, Findings, FixKind, Rule};
use crate::rules;
use crate::text::{nearest, shortened};

pub(super) static RULE: Rule = Rule {
    id: "allow-unknown-rule",
    severity: Severity::Warning,
    summary: "an allow names a rule that does not exist",
    doc: "
No rule has this name, so nothing is allowed. `postls rules` lists those that
there are.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
# postls: allow(inline-coment) the value really has it
#               ^^^^^^^^^^^^^ there is no rule \"inline-coment\"
relayhost =
",
    good: "
# postls: allow(inline-comment) the value really has it
smtpd_banner = $myhostname # ESMTP
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for allow in &context.allows().allows {
        let name = allow.rule.value.as_str();
        // In the policy file that is a mistake like others.
        if allow.covers == Covers::Directory || rules::find(name).is_some() {
            continue;
        }
        let found = findings.at(allow.rule.span, format!("there is no rule \"{}\"", shortened(name)));
        if let Some(near) = nearest(name, rules::all().map(|it| it.id)) {
            found.help(format!("did you mean \"{near}\"?"));
        }
    }
}
