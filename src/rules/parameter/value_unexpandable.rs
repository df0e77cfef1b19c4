//! `$name` in a form that Postfix refuses.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::Type;

pub(super) static RULE: Rule = Rule {
    id: "value-unexpandable",
    severity: Severity::Error,
    summary: "a value has a $name that cannot be expanded",
    doc: "
A program of Postfix that reads the value stops with a macro processing error;
postconf stops too, and then shows no value at all. A `$` that is meant as
itself is written `$$`. Names stand as `$name`, `${name}` or `$(name)`, and only
letters, digits and `_` are names.

An undefined name is no error for Postfix: it expands to nothing.
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
    let Some(configuration) = &context.configuration else { return };
    for setting in configuration.all_settings() {
        // Values of names that nobody refers to are never expanded.
        let expanded = setting.parameter.is_some_and(|it| it.kind != Type::Raw);
        if !expanded {
            continue;
        }
        if let Err(error) = configuration.expand(setting.value().text()) {
            findings.at(setting.value_span(), error.to_string());
        }
    }
}
