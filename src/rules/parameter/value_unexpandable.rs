//! `$name` in a form that Postfix refuses.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{Configuration, Refusal};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::syntax::expand;
use crate::text::Span;

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
    let (Some(main), Some(names)) = (&context.configuration, context.names()) else { return };
    let mut seen = BTreeSet::new();
    let refusals: Vec<&Refusal> = names.unexpandable.iter().filter(|it| seen.insert(it.span)).collect();
    // What only refers to a value that is wrong is the same mistake.
    let wrong: BTreeMap<Span, String> =
        refusals.iter().filter_map(|it| Some((it.span, own_mistake(context, it.span)?))).collect();
    let mut referring: BTreeMap<Span, Vec<Span>> = BTreeMap::new();
    for refusal in refusals {
        let text = context.sources.bytes(refusal.span);
        let behind = || main.behind(text).into_iter().map(|it| it.value_span()).find(|it| wrong.contains_key(it));
        match (wrong.get(&refusal.span), behind()) {
            (Some(why), _) => {
                findings.at(refusal.span, why.as_str());
            }
            (None, Some(origin)) => referring.entry(origin).or_default().push(refusal.span),
            (None, None) => {
                findings.at(refusal.span, refusal.why.as_str());
            }
        }
    }
    for finding in findings.so_far() {
        for span in referring.remove(&finding.primary.span).into_iter().flatten() {
            finding.related(span, "this refers to it");
        }
    }
    for refusal in names.unscannable.iter().filter(|it| seen.insert(it.span)) {
        findings.milder(Severity::Warning, refusal.span, refusal.why.as_str());
    }
}

/// What is wrong with a value itself, whatever the names in it stand for.
fn own_mistake(context: &Context<'_>, span: Span) -> Option<String> {
    let mut settings = context.configuration.iter().flat_map(Configuration::effective_settings);
    let setting = settings.find(|it| it.value_span() == span);
    let text = setting.map_or(context.sources.bytes(span).to_vec(), |it| it.value().text().to_vec());
    expand::names(&text, context.environment.dialect()).1.map(|it| it.to_string())
}
