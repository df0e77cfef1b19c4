//! A mistake and what it leads to at the same place are one finding: the graver one, and where both weigh
//! the same, the cause. The other one becomes a related place of it, so nothing is left unsaid.
//!
//! Only what has no fix of its own becomes one.

use crate::finding::{Finding, Label};
use crate::text::{SourceId, Span};

/// The rules that say where a mistake comes from, and do not know what it does to the parameter. What is
/// related to their findings is the same mistake elsewhere.
/// The first one is nearest to what somebody did.
pub const CAUSES: &[&str] =
    &["commented-out-first-line", "template-residue", "undefined-parameter", "braces-unbalanced"];

/// Puts what belongs together into one finding.
pub(super) fn join(mut found: Vec<Finding>) -> Vec<Finding> {
    let place = |it: &Finding| CAUSES.iter().position(|cause| *cause == it.rule);
    found.sort_by_key(|it| place(it).unwrap_or(CAUSES.len()));
    let mut others = found.split_off(found.partition_point(|it| place(it).is_some()));
    let mut causes = found;
    if causes.is_empty() {
        return others;
    }
    let places = Places::of(others.iter().map(|it| [&it.primary].into_iter().chain(&it.related)));
    causes.retain_mut(|cause| has_places_left(cause, &mut others, &places));
    let places = Places::of(causes.iter().map(|it| [&it.primary]));
    // Where the causes are that no other cause has taken in.
    let mut kept: Vec<Option<usize>> = vec![None; causes.len()];
    let mut joined: Vec<Finding> = Vec::new();
    for (index, finding) in causes.into_iter().chain(others).enumerate() {
        let weighs_enough = |at: &usize| joined[*at].severity >= finding.severity;
        let around = places.around(finding.primary.span).into_iter();
        let cause = around.filter_map(|it| kept[it]).find(weighs_enough);
        match cause.map(|at| &mut joined[at]) {
            Some(cause) if finding.fix.is_none() && cause.rule != finding.rule => {
                cause.related.push(finding.primary);
                cause.related.extend(finding.related);
            }
            Some(_) | None => {
                if let Some(kept) = kept.get_mut(index) {
                    *kept = Some(joined.len());
                }
                joined.push(finding);
            }
        }
    }
    joined
}

/// Gives the places of a cause to the graver findings there; whether there are others.
fn has_places_left(cause: &mut Finding, others: &mut [Finding], places: &Places) -> bool {
    let severity = cause.severity;
    let related = cause.related.drain(..).map(|it| it.span);
    let mut left = Vec::new();
    for span in [cause.primary.span].into_iter().chain(related) {
        let is_graver = |it: &usize| others[*it].severity > severity;
        let Some(graver) = places.around(span).into_iter().find(is_graver) else {
            left.push(span);
            continue;
        };
        let effect = &mut others[graver];
        effect.related.push(Label { span, text: cause.primary.text.clone() });
        if effect.help.is_none() {
            effect.help.clone_from(&cause.help);
        }
    }
    let mut left = left.into_iter();
    let Some(first) = left.next() else { return false };
    cause.primary.span = first;
    let text = &cause.primary.text;
    cause.related = left.map(|span| Label { span, text: text.clone() }).collect();
    true
}

/// The places of findings in the order of the files, so that those around a place are found at once.
struct Places {
    /// Each with the index of its finding.
    sorted: Vec<(Span, usize)>,
    /// How far the places up to here reach.
    reach: Vec<(SourceId, u32)>,
}

impl Places {
    fn of<'f, L: IntoIterator<Item = &'f Label>>(findings: impl Iterator<Item = L>) -> Places {
        let mut sorted: Vec<(Span, usize)> = Vec::new();
        for (index, labels) in findings.enumerate() {
            sorted.extend(labels.into_iter().map(|it| (it.span, index)));
        }
        sorted.sort_unstable();
        let furthest = |so_far: &mut Option<(SourceId, u32)>, (span, _): &(Span, usize)| {
            *so_far = (*so_far).max(Some((span.source, span.end)));
            *so_far
        };
        let reach = sorted.iter().scan(None, furthest).collect();
        Places { sorted, reach }
    }

    /// The findings with a place that overlaps this one, in their order.
    fn around(&self, span: Span) -> Vec<usize> {
        let end = (span.source, span.end);
        let behind = self.sorted.partition_point(|(it, _)| (it.source, it.start) < end);
        let before = self.sorted[..behind].iter().zip(&self.reach).rev();
        let near = before.take_while(|(_, reach)| **reach > (span.source, span.start));
        let here = near.filter(|((it, _), _)| overlap(*it, span));
        let mut found: Vec<usize> = here.map(|((_, index), _)| *index).collect();
        found.sort_unstable();
        found.dedup();
        found
    }
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
            finding("braces-unbalanced", Severity::Warning, &[(8, 16), (40, 45)]),
            finding("template-residue", Severity::Warning, &[(10, 15)]),
            finding("smtp-tls-disabled", Severity::Warning, &[(20, 25)]),
        ]);
        let expected = [
            ("template-residue", 10, vec!["braces-unbalanced is here"; 2]),
            ("smtp-tls-disabled", 20, vec![]),
        ];
        assert_eq!(shown(&found), expected);
    }
}
