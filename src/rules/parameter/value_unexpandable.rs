//! `$name` in a form that Postfix refuses.

use std::collections::BTreeSet;

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "value-unexpandable",
    severity: Severity::Error,
    summary: "a value has a $name that cannot be expanded",
    doc: "
A program of Postfix that reads the value stops with a macro processing error;
postconf stops too, and then shows no value at all. A `$` that is meant as
itself is written `$$`. Names stand as `$name`, `${name}` or `$(name)`, and only
letters, digits and `_` are names.

It is a warning, as postconf's, where nobody reads the part that is wrong: in a
branch of a condition that is not taken now, or in a name of your own that no
parameter refers to. A name that is not defined is another matter: it expands to
nothing.
",
    postfix_says: "macro processing error",
    fix: FixKind::Never,
    bad: "
smtp_helo_name = ${myhostname
#                ^^^^^^^^^^^^ a \"${\" or \"$(\" that is not closed
",
    good: "
smtpd_banner = $myhostname ESMTP costs $$5
smtp_helo_name = ${smtp_bind_address?{x}:{$myhostname}}
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(names) = context.names() else { return };
    let mut seen = BTreeSet::new();
    for refusal in names.unexpandable.iter().filter(|it| seen.insert(it.span)) {
        findings.at(refusal.span, refusal.why.as_str());
    }
    for refusal in names.unscannable.iter().filter(|it| seen.insert(it.span)) {
        findings.milder(Severity::Warning, refusal.span, refusal.why.as_str());
    }
}
