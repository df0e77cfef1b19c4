//! The same name twice.

use std::collections::HashMap;

use crate::finding::{Fix, Safety, Severity};
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::syntax::lines::Group;
use crate::syntax::main_cf::{Entry, Kind};

pub(super) static RULE: Rule = Rule {
    id: "duplicate-parameter",
    severity: Severity::Error,
    summary: "a parameter is set twice, and only the last one counts",
    doc: "
Postfix uses the last instance of a parameter. The earlier line still reads as
if it were in force. With another value Postfix warns about it in its log each
time a program starts; with the same value it says nothing, and neither line is
wrong until somebody changes one of them: then this is advice.
",
    postfix_says: "overriding earlier entry: smtp_tls_loglevel",
    fix: FixKind::Always,
    bad: "
smtp_tls_loglevel = 0
#^^^^^^^^^^^^^^^^ this smtp_tls_loglevel has no effect
relayhost =
smtp_tls_loglevel = 1
",
    good: "
smtp_tls_loglevel = 1
smtpd_tls_loglevel = 1
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(configuration) = &context.configuration else { return };
    let bytes = configuration.bytes();
    let mut last: HashMap<&[u8], (&Group<Kind>, &Entry)> = HashMap::new();
    for group in &configuration.main_cf().groups {
        let Kind::Entry(entry) = &group.kind else { continue };
        let Some((earlier_group, earlier)) = last.insert(&bytes[entry.name.clone()], (group, entry)) else {
            continue;
        };
        let same = earlier.value_text(bytes).text() == entry.value_text(bytes).text();
        let span = configuration.span(earlier.name.clone());
        let name = context.sources.text(span);
        let (finding, safety) = if same {
            let text = format!("{name} is set to the same further down");
            (findings.milder(Severity::Advice, span, text), Safety::Safe)
        } else {
            // It may be the one that somebody wants.
            (findings.at(span, format!("this {name} has no effect")), Safety::Unsafe)
        };
        let title = "remove the earlier one".to_owned();
        let edits = context.without_lines(configuration.span(earlier_group.range.clone()));
        finding.fix(Fix { safety, title, edits });
        finding.related(configuration.span(entry.name.clone()), "this one counts");
    }
}
