//! `= value`

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::syntax::main_cf::Kind;
use crate::syntax::{lines, trim};

pub(super) static RULE: Rule = Rule {
    id: "missing-parameter-name",
    severity: Severity::Error,
    summary: "a line in main.cf begins with \"=\"",
    doc: "
Every program of Postfix reads all of main.cf when it starts and stops at a
logical line without a parameter name.
",
    postfix_says: "missing attribute name",
    fix: FixKind::Never,
    bad: "
relayhost =
= [relay.example.net]:587
#^^^^^^^^^^^^^^^^^^^^^^^^ no parameter name before the \"=\"
",
    good: "
relayhost
  = [relay.example.net]:587
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(configuration) = &context.configuration else { return };
    let conflicts = super::conflict_lines(configuration.bytes());
    for group in &configuration.main_cf().groups {
        let in_conflict = conflicts.binary_search(&group.range.start).is_ok();
        if matches!(group.kind, Kind::MissingName) && !in_conflict {
            let line = lines::line_end(configuration.bytes(), group.range.start);
            let (_, text) = trim(&configuration.bytes()[group.range.start..line]);
            let span = configuration.span(group.range.start..group.range.start + text.len());
            findings.at(span, "no parameter name before the \"=\"");
        }
    }
}
