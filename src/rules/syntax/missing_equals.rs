//! `name value`

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::syntax::main_cf::Kind;

pub(super) static RULE: Rule = Rule {
    id: "missing-equals",
    severity: Severity::Error,
    summary: "a line in main.cf is not \"name = value\"",
    doc: "
Every program of Postfix reads all of main.cf when it starts and stops at a
logical line that has no `=` behind its first word. A running Postfix goes on
with the old settings until its processes end; then nothing works.

Typical causes: a comment without `#`, a continuation line that lost its leading
blanks, a section header or an include from another program's configuration.
",
    postfix_says: "missing '=' after attribute name",
    fix: FixKind::Never,
    bad: "
relayhost =
smtp_tls_loglevel 1
#^^^^^^^^^^^^^^^^ no \"=\" behind the first word
",
    good: "
relayhost =
smtp_tls_loglevel
    = 1
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(configuration) = &context.configuration else { return };
    let conflicts = super::conflict_lines(configuration.bytes());
    for group in &configuration.main_cf().groups {
        // Marks of byte order and of merges are findings of their own.
        let marked = configuration.bytes()[group.range.clone()].starts_with(b"\xef\xbb\xbf")
            || conflicts.binary_search(&group.range.start).is_ok();
        if matches!(group.kind, Kind::MissingEquals) && !marked {
            let line = configuration.bytes()[group.range.clone()].iter();
            let word = line.take_while(|byte| !byte.is_ascii_whitespace()).count();
            let span = configuration.span(group.range.start..group.range.start + word.max(1));
            findings.at(span, "no \"=\" behind the first word");
        }
    }
}
