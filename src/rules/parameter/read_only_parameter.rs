//! What Postfix sets itself.

use std::collections::BTreeSet;

use crate::finding::{Fix, Safety, Severity};
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::text::shortened;

pub(super) static RULE: Rule = Rule {
    id: "read-only-parameter",
    severity: Severity::Error,
    summary: "a parameter is set that Postfix sets itself",
    doc: "
process_name, process_id and service_name are what they are, for each program of
Postfix; a value in main.cf or master.cf has no effect, and postconf says so.
(In Postfix 3.11, from 3.11.2 on, service_name can be set.)
",
    postfix_says: "read-only parameter assignment: process_name=mail",
    fix: FixKind::Sometimes,
    bad: "
process_name = mail
#^^^^^^^^^^^ Postfix sets process_name itself
",
    good: "
syslog_name = postfix-$process_name
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(main) = &context.configuration else { return };
    let text = |name: &str| format!("Postfix sets {} itself", shortened(name));
    for group in &main.main_cf().groups {
        let crate::syntax::main_cf::Kind::Entry(entry) = &group.kind else { continue };
        let span = main.span(entry.name.clone());
        let Ok(name) = str::from_utf8(context.sources.bytes(span)) else { continue };
        if main.is_read_only(name) {
            findings.at(span, text(name)).fix(Fix {
                safety: Safety::Safe,
                title: "remove the line".to_owned(),
                edits: context.without_lines(main.span(group.range.clone())),
            });
        }
    }
    let read_only = context.all_overrides().iter().filter(|it| main.is_read_only(&it.name));
    let mut seen = BTreeSet::new();
    for it in read_only.filter(|it| seen.insert(it.name_span)) {
        findings.at(it.name_span, text(&it.name));
    }
}
