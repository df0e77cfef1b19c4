//! From findings to edits: which fixes can be made at once.
//!
//! A fix is taken whole or not at all. One that overlaps or touches another waits for the next
//! round, in which the files are looked at again; so do two insertions at one place. Of two that
//! are in each other's way the finding that stands first comes first.

use std::collections::BTreeMap;

use crate::finding::{Finding, Fix, Safety, Severity};
use crate::text::{Edit, Edits, SourceId, Span};

/// Which fixes are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Those after which mail flows as it should.
    Safe,
    /// Those too about which a person has to decide.
    All,
}

impl Wanted {
    /// The fix of a finding, if it is to be made.
    pub fn fix(self, finding: &Finding) -> Option<&Fix> {
        finding.fix.as_ref().filter(|fix| match (self, fix.safety) {
            (Wanted::All, Safety::Safe | Safety::Unsafe) | (Wanted::Safe, Safety::Safe) => true,
            (Wanted::Safe, Safety::Unsafe) => false,
        })
    }
}

/// The findings whose fixes can be made at once, as indexes, in the order of the files.
pub fn at_once(findings: &[&Finding], wanted: Wanted) -> Vec<usize> {
    let mut order: Vec<(Span, usize)> = Vec::new();
    for (index, finding) in findings.iter().enumerate() {
        if wanted.fix(finding).is_some_and(|fix| !fix.edits.is_empty()) {
            order.push((finding.primary.span, index));
        }
    }
    order.sort_by_key(|(span, index)| (*span, findings[*index].rule, *index));
    let mut taken = Taken::default();
    let mut chosen: Vec<usize> = order.into_iter().map(|(_, index)| index).collect();
    chosen.retain(|index| wanted.fix(findings[*index]).is_some_and(|fix| taken.takes(fix)));
    chosen
}

/// The edits of these fixes, for each source. They come from [`at_once`].
pub fn edits<'f>(fixes: impl IntoIterator<Item = &'f Fix>) -> BTreeMap<SourceId, Edits> {
    let mut all: BTreeMap<SourceId, Edits> = BTreeMap::new();
    for edit in fixes.into_iter().flat_map(|fix| &fix.edits) {
        all.entry(edit.span.source).or_default().add(edit.clone());
    }
    all
}

/// How many errors each rule has found.
#[derive(Clone, Debug, Default)]
pub struct Errors(BTreeMap<&'static str, Count>);

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    all: usize,
    without_safe_fix: usize,
    without_fix: usize,
}

impl Errors {
    /// Counts them.
    pub fn of(findings: &[Finding]) -> Errors {
        let mut errors = Errors::default();
        for finding in findings.iter().filter(|it| it.severity == Severity::Error) {
            let count = errors.0.entry(finding.rule).or_default();
            count.all += 1;
            count.without_safe_fix += usize::from(Wanted::Safe.fix(finding).is_none());
            count.without_fix += usize::from(Wanted::All.fix(finding).is_none());
        }
        errors
    }

    /// A rule that finds more errors than `before`.
    pub fn more_than(&self, before: &Errors) -> Option<&'static str> {
        self.more(before, |it| it.all)
    }

    /// The same without those that further fixes will remove.
    pub fn more_in_the_end(&self, before: &Errors, wanted: Wanted) -> Option<&'static str> {
        self.more(before, |it| match wanted {
            Wanted::Safe => it.without_safe_fix,
            Wanted::All => it.without_fix,
        })
    }

    fn more(&self, before: &Errors, count: impl Fn(&Count) -> usize) -> Option<&'static str> {
        let known = |rule| before.0.get(rule).map_or(0, |it| it.all);
        self.0.iter().find(|(rule, it)| count(it) > known(*rule)).map(|(rule, _)| *rule)
    }
}

/// The places that fixes need, by where they end, so that those around a place are found at once.
#[derive(Default)]
struct Taken(BTreeMap<(SourceId, u32), u32>);

impl Taken {
    /// Takes the places of a fix, if all of them are free and it does not get in its own way.
    fn takes(&mut self, fix: &Fix) -> bool {
        let mut own: BTreeMap<SourceId, Edits> = BTreeMap::new();
        let fits = |edit: &Edit| own.entry(edit.span.source).or_default().add(edit.clone());
        if !fix.edits.iter().all(fits) || fix.edits.iter().any(|edit| self.touches(edit.span)) {
            return false;
        }
        for Edit { span, .. } in &fix.edits {
            // Two edits of one fix may end at one place: an insertion behind what is replaced.
            let start = self.0.entry((span.source, span.end)).or_insert(span.start);
            *start = span.start.min(*start);
        }
        true
    }

    fn touches(&self, span: Span) -> bool {
        // The first one that ends at the start or behind it.
        let next = self.0.range((span.source, span.start)..=(span.source, u32::MAX)).next();
        next.is_some_and(|(_, start)| *start <= span.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Label, Severity};
    use crate::text::Sources;

    fn findings(source: SourceId, fixes: &[(&[(usize, usize)], Safety)]) -> Vec<Finding> {
        let finding = |(edits, safety): &(&[(usize, usize)], Safety)| {
            let spans = edits.iter().map(|(start, end)| Span::new(source, *start..*end));
            let edits: Vec<Edit> = spans.map(|span| Edit::new(span, "x")).collect();
            Finding {
                rule: "some-rule",
                severity: Severity::Error,
                summary: "",
                primary: Label { span: edits[0].span, text: String::new() },
                related: Vec::new(),
                help: None,
                fix: Some(Fix { safety: *safety, title: String::new(), edits }),
            }
        };
        fixes.iter().map(finding).collect()
    }

    #[test]
    fn fixes_are_taken_whole_and_those_that_touch_wait() {
        let source = Sources::default().add("x", b"0123456789".to_vec());
        let both: &[(&[(usize, usize)], Safety)] = &[
            (&[(4, 6)], Safety::Safe),
            // Touches the one before, so its other edit is not made either.
            (&[(6, 6), (9, 9)], Safety::Safe),
            (&[(9, 9)], Safety::Unsafe),
            // Two insertions at one place have no order.
            (&[(9, 9)], Safety::Safe),
            (&[(0, 0), (0, 1)], Safety::Safe),
            // Around another one.
            (&[(3, 8)], Safety::Safe),
            (&[(2, 3), (1, 3)], Safety::Safe),
        ];
        let findings = findings(source, both);
        let findings: Vec<&Finding> = findings.iter().collect();
        assert_eq!(at_once(&findings, Wanted::All), [4, 5, 2]);
        assert_eq!(at_once(&findings, Wanted::Safe), [4, 5, 3]);
        assert_eq!(at_once(&findings[..5], Wanted::All), [4, 0, 2]);
    }
}
