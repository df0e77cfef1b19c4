//! A mistake and what it leads to at the same place are one finding: the graver one, and where both weigh
//! the same, the cause. The other one becomes a related place of it, so nothing is left unsaid.
//!
//! Only what has no fix of its own becomes one.

use crate::finding::{Finding, Label};
use crate::text::Span;

/// The rules that say where a mistake comes from, and do not know what it does to the parameter. What is
/// related to their findings is the same mistake elsewhere.
/// The first one is nearest to what somebody did.
pub const CAUSES: &[&str] =
    &["commented-out-first-line", "template-residue", "undefined-parameter", "braces-unbalanced"];

/// Puts what belongs together into one finding.
pub(super) fn join(mut found: Vec<Finding>) -> Vec<Finding> {
    let place = |it: &Finding| CAUSES.iter().position(|cause| *cause == it.rule);
    found.sort_by_key(|it| place(it).unwrap_or(CAUSES.len()));
    let (mut causes, mut others): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|it| place(it).is_some());
    causes.retain_mut(|cause| has_places_left(cause, &mut others));
    let mut joined: Vec<Finding> = Vec::new();
    // The causes come first.
    let mut last_cause = 0;
    for finding in causes.into_iter().chain(others) {
        let cause = joined[..last_cause].iter_mut().find(|it| {
            it.severity >= finding.severity && overlap(it.primary.span, finding.primary.span)
        });
        match cause {
            Some(cause) if finding.fix.is_none() && cause.rule != finding.rule => {
                cause.related.push(finding.primary);
            }
            Some(_) | None => {
                last_cause += usize::from(place(&finding).is_some());
                joined.push(finding);
            }
        }
    }
    joined
}

/// Gives the places of a cause to the graver findings there; whether there are others.
fn has_places_left(cause: &mut Finding, others: &mut [Finding]) -> bool {
    let severity = cause.severity;
    let related = cause.related.drain(..).map(|it| it.span);
    let mut left = Vec::new();
    for span in [cause.primary.span].into_iter().chain(related) {
        let graver = |it: &&mut Finding| {
            let mut places = [&it.primary].into_iter().chain(&it.related);
            it.severity > severity && places.any(|it| overlap(it.span, span))
        };
        match others.iter_mut().find(graver) {
            Some(effect) => {
                effect.related.push(Label { span, text: cause.primary.text.clone() });
                if effect.help.is_none() {
                    effect.help.clone_from(&cause.help);
                }
            }
            None => left.push(span),
        }
    }
    let mut left = left.into_iter();
    let Some(first) = left.next() else { return false };
    cause.primary.span = first;
    let text = &cause.primary.text;
    cause.related = left.map(|span| Label { span, text: text.clone() }).collect();
    true
}

fn overlap(a: Span, b: Span) -> bool {
    a.source == b.source && a.start < b.end && b.start < a.end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Severity;
    use crate::text::Sources;

    fn finding(rule: &'static str, severity: Severity, places: &[(usize, usize)]) -> Finding {
        let mut sources = Sources::default();
        let source = sources.add("main.cf", vec![b'x'; 100]);
        let mut labels = places.iter().map(|(start, end)| Label {
            span: Span::new(source, *start..*end),
            text: format!("{rule} is here"),
        });
        Finding {
            rule,
            severity,
            summary: "",
            primary: labels.next().expect("it has a place"),
            related: labels.collect(),
            help: None,
            fix: None,
        }
    }

    fn shown(found: &[Finding]) -> Vec<(&str, u32, Vec<&str>)> {
        let shown = |it: &'_ Finding| (it.rule, it.primary.span.start);
        found
            .iter()
            .map(|it| {
                let (rule, start) = shown(it);
                (rule, start, it.related.iter().map(|it| it.text.as_str()).collect())
            })
            .collect()
    }

    #[test]
    fn an_error_says_where_it_comes_from() {
        let found = join(vec![
            finding("undefined-parameter", Severity::Warning, &[(10, 15), (30, 35), (50, 55)]),
            finding("value-empty", Severity::Error, &[(8, 16)]),
            finding("number-invalid", Severity::Error, &[(30, 35)]),
        ]);
        let why = vec!["undefined-parameter is here"];
        let expected = [
            ("undefined-parameter", 50, vec![]),
            ("value-empty", 8, why.clone()),
            ("number-invalid", 30, why),
        ];
        assert_eq!(shown(&found), expected);
    }

    #[test]
    fn a_cause_says_what_comes_of_it() {
        let found = join(vec![
            finding("braces-unbalanced", Severity::Warning, &[(8, 16)]),
            finding("template-residue", Severity::Warning, &[(10, 15)]),
            finding("smtp-tls-disabled", Severity::Warning, &[(20, 25)]),
        ]);
        let expected = [
            ("template-residue", 10, vec!["braces-unbalanced is here"]),
            ("smtp-tls-disabled", 20, vec![]),
        ];
        assert_eq!(shown(&found), expected);
    }
}
