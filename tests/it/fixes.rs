//! Fixes: what `lint --fix` leaves behind, of every example, of generated files, with every fault
//! on the way, and to a real Postfix.

mod by_postfix;
mod program;

use std::collections::BTreeMap;

use postls::finding::Finding;
use postls::lint::fix::{Wanted, at_once, edits};
use postls::lint::{self, Rule};
use postls::postfix::Version;
use postls::rules;

use crate::fixture::{self, Fixture};
use crate::generator::{self, Random, Shown};
use crate::rules as examples;

/// Names and bytes.
type Files = Vec<(String, Vec<u8>)>;

fn files(text: &str) -> Files {
    let files = fixture::files(text).into_iter();
    files.map(|(name, text)| (name.to_owned(), fixture::bytes(text.as_bytes()))).collect()
}

/// One round of what `wanted` says about the findings of these rules; `None`: there is nothing to fix.
fn round(files: &Files, rules: &[&'static Rule], wanted: Wanted) -> Option<Files> {
    let fixture = Fixture::of(files);
    let found = lint::run_all(rules.iter().copied(), &fixture.context(Version::new(3, 7)));
    let found: Vec<&Finding> = found.iter().collect();
    let chosen = at_once(&found, wanted);
    let made: Vec<_> = chosen.iter().filter_map(|it| wanted.fix(found[*it])).collect();
    let edits = edits(made.iter().copied());
    let made: usize = made.iter().map(|it| it.edits.len()).sum();
    let kept: usize = edits.values().map(postls::text::Edits::len).sum();
    assert_eq!(made, kept, "a fix is made whole");
    let changed = fixture.sources.iter().map(|(id, source)| {
        let edits = edits.get(&id);
        let new = edits.map_or_else(|| source.bytes().to_vec(), |it| it.apply(source.bytes()));
        lines_without_a_fix_stay(source.bytes(), &new, edits);
        (source.name().to_owned(), new)
    });
    (!chosen.is_empty()).then(|| changed.collect())
}

/// What is left when nothing more can be fixed.
fn fixed(files: Files, rules: &[&'static Rule], wanted: Wanted) -> Files {
    let mut files = files;
    for _ in 0..12 {
        match round(&files, rules, wanted) {
            Some(next) => files = next,
            None => return files,
        }
    }
    panic!("still something to fix after 12 rounds: {:?}", shown(&files));
}

fn shown(files: &Files) -> String {
    let file =
        |(name, bytes): &(String, Vec<u8>)| format!("==> {name} <==\n{}", bytes.escape_ascii());
    files.iter().map(file).collect::<Vec<_>>().join("\n")
}

/// Found out with the lines alone: those that no edit touches are the same, in the same order.
fn lines_without_a_fix_stay(old: &[u8], new: &[u8], edits: Option<&postls::text::Edits>) {
    let touched = |range: &std::ops::Range<usize>| {
        edits.into_iter().flat_map(postls::text::Edits::iter).any(|edit| {
            let at = edit.span.range();
            at.start < range.end && range.start < at.end
                || (at.is_empty() && range.start < at.start && at.start < range.end)
                || (at.end == range.end && range.end == old.len())
                // What is removed up to the line's beginning joins it to another one.
                || (at.end == range.start && !at.is_empty() && old[at.end - 1] == b'\n')
        })
    };
    let mut at = 0;
    let mut rest = new.split_inclusive(|it| *it == b'\n');
    for line in old.split_inclusive(|it| *it == b'\n') {
        let range = at..at + line.len();
        at = range.end;
        if !touched(&range) {
            assert!(rest.any(|it| it == line), "{}", line.escape_ascii());
        }
    }
}

#[test]
fn all_fixes_of_all_rules_together_come_to_an_end() {
    let all: Vec<&'static Rule> = rules::all().collect();
    for wanted in [Wanted::Safe, Wanted::All] {
        for (rule, text) in examples::all_examples() {
            let left = fixed(files(&text), &all, wanted);
            let found = Fixture::of(&left).found_by(rule);
            assert!(found.iter().all(|it| wanted.fix(it).is_none()), "{}", rule.id);
        }
    }
}

/// Lines of all examples, in any order, with random edits.
fn generated(random: &mut Random, lines: &[BTreeMap<String, Vec<Vec<u8>>>]) -> Files {
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for _ in 0..=random.below(12) {
        let example = &lines[random.below(lines.len())];
        for (name, lines) in example {
            let file = files.entry(name.clone()).or_default();
            for line in lines {
                if random.below(8) > 0 {
                    file.extend_from_slice(line);
                }
            }
        }
    }
    files.entry("main.cf".to_owned()).or_default();
    for (name, bytes) in &mut files {
        if name != "postls.yaml" && random.below(2) == 0 {
            *bytes = generator::edited(std::slice::from_ref(bytes), random);
        }
    }
    files.into_iter().collect()
}

#[test]
fn generated_files_are_fixed_without_a_panic_and_once() {
    let all: Vec<&'static Rule> = rules::all().collect();
    let lines: Vec<BTreeMap<String, Vec<Vec<u8>>>> = examples::all_examples()
        .into_iter()
        .map(|(_, text)| {
            // What is so on a host is no file that somebody writes.
            let files = files(&text).into_iter().filter(|(name, _)| name != "host");
            let lines = |bytes: Vec<u8>| {
                let lines = bytes.split_inclusive(|it| *it == b'\n');
                lines.filter(|it| !it.starts_with(b"#  ")).map(<[u8]>::to_vec).collect()
            };
            // What is said of the host is no file, and has a grammar of its own.
            files
                .filter(|(name, _)| name != "host")
                .map(|(name, bytes)| (name, lines(bytes)))
                .collect()
        })
        .collect();
    generator::rounds(60, |seed, round, random| {
        let files = generated(random, &lines);
        let input = shown(&files);
        let _shown = Shown { seed, round, input: input.as_bytes() };
        for wanted in [Wanted::Safe, Wanted::All] {
            let once = fixed(files.clone(), &all, wanted);
            assert_eq!(shown(&fixed(once.clone(), &all, wanted)), shown(&once));
        }
    });
}
