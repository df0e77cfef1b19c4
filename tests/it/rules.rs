//! A rule's own examples are its first tests; this file runs them all, and the
//! cases under `tests/cases/<rule>/`, which are written in the same way.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use postls::finding::{Finding, Safety, Severity};
use postls::lint::{self, FixKind, Rule};
use postls::postfix::Version;
use postls::rules;
use postls::text::Edits;

use crate::fixture::{Fixture, Mark};

fn marked(fixture: &Fixture, found: &[Finding]) -> Vec<Mark> {
    found.iter().map(|it| fixture.as_mark(it.primary.span, &it.primary.text)).collect()
}

#[test]
fn bad_examples_are_found_where_marked() {
    for rule in rules::all() {
        let fixture = Fixture::new(rule.bad);
        let found = fixture.found_by(rule);
        assert_eq!(marked(&fixture, &found), fixture.marks(), "{}", rule.id);
        assert!(!found.is_empty(), "{}: the bad example shows nothing", rule.id);
    }
}

#[test]
fn good_examples_hold_nothing_of_their_own_rule_and_no_error_of_any() {
    let mut wrong = Vec::new();
    for rule in rules::all() {
        let fixture = Fixture::new(rule.good);
        assert_eq!(marked(&fixture, &fixture.found_by(rule)), [], "{}", rule.id);
        let found = lint::run_all(rules::all(), &fixture.context(Version::new(3, 7)));
        let errors = found.iter().filter(|it| it.severity == Severity::Error);
        wrong.extend(errors.map(|it| format!("{} in the good example of {}", it.rule, rule.id)));
    }
    assert_eq!(wrong, [] as [&str; 0]);
}

#[test]
fn errors_of_rules_are_of_the_severity_that_they_declare() {
    for rule in rules::all() {
        let found = Fixture::new(rule.bad).found_by(rule);
        assert!(found.iter().any(|it| it.severity == rule.severity), "{}", rule.id);
    }
}

#[test]
fn cases_are_found_where_marked() {
    let mut cases = 0;
    for (rule, path) in case_files() {
        let text = fs::read_to_string(&path).expect("it was listed");
        let fixture = Fixture::new(&text);
        let found = fixture.found_by(rule);
        assert_eq!(marked(&fixture, &found), fixture.marks(), "{}", path.display());
        cases += 1;
    }
    assert!(cases > 0, "there are cases");
}

#[test]
fn fixes_do_what_they_declare() {
    for rule in rules::all() {
        let found = Fixture::new(rule.bad).found_by(rule);
        let fixed = found.iter().filter(|it| it.fix.is_some()).count();
        let mut texts = vec![rule.bad.to_owned()];
        texts.extend(
            case_files()
                .into_iter()
                .filter(|(it, _)| it.id == rule.id)
                .map(|(_, path)| fs::read_to_string(path).expect("it was listed")),
        );
        match rule.fix {
            FixKind::Never => assert_eq!(fixed, 0, "{}", rule.id),
            FixKind::Sometimes => {
                let any = |text: &String| {
                    Fixture::new(text).found_by(rule).iter().any(|it| it.fix.is_some())
                };
                assert!(texts.iter().any(any), "{}: no example with a fix", rule.id);
            }
            FixKind::Always => assert_eq!(fixed, found.len(), "{}", rule.id),
        }
        for text in &texts {
            fixes_converge(rule, text);
        }
    }
}

/// Each fix by itself removes its finding, makes no new one of any rule, and
/// leaves the bytes outside its edits alone (that is what edits are).
fn fixes_converge(rule: &'static Rule, text: &str) {
    let fixture = Fixture::new(text);
    let before = all_errors(&fixture);
    for finding in fixture.found_by(rule) {
        let Some(fix) = finding.fix else { continue };
        let mut edits = Edits::default();
        for edit in fix.edits {
            assert!(edits.add(edit), "{}: the edits of one fix overlap", rule.id);
        }
        let id = edits.source().expect("a fix has edits");
        let mut fixed = String::new();
        for (source, file) in fixture.sources.iter() {
            let bytes =
                if source == id { edits.apply(file.bytes()) } else { file.bytes().to_vec() };
            let content = String::from_utf8(bytes).expect("fixtures are UTF-8");
            write!(fixed, "==> {} <==\n{content}", file.name()).unwrap();
        }
        let after = Fixture::new(&fixed);
        let count = |fixture: &Fixture| fixture.found_by(rule).len();
        assert_eq!(
            count(&after) + 1,
            count(&fixture),
            "{}: {} leaves\n{fixed}",
            rule.id,
            fix.title
        );
        // One that is not safe may bring others to light; then the program does not make it.
        let brings_none = fix.safety == Safety::Unsafe || all_errors(&after) <= before;
        assert!(brings_none, "{}: the fix makes an error\n{fixed}", rule.id);
    }
}

fn all_errors(fixture: &Fixture) -> usize {
    let found = lint::run_all(rules::all(), &fixture.context(Version::new(3, 7)));
    found.iter().filter(|it| it.severity == Severity::Error).count()
}

#[test]
fn every_rule_is_documented_and_every_error_says_what_postfix_says() {
    for (topic, rules) in rules::topics() {
        for rule in rules {
            assert!(rule.doc.trim().len() > 60, "{}: a page needs text", rule.id);
            assert!(!rule.summary.ends_with('.'), "{}: a summary is no sentence", rule.id);
            let postfix_sees_it = topic != "policy-file";
            let says = !rule.postfix_says.is_empty();
            let error = rule.severity == Severity::Error;
            assert_eq!(says, error && postfix_sees_it, "{}", rule.id);
        }
        assert!(rules.is_sorted_by(|a, b| a.id < b.id), "{topic} is sorted");
    }
}

#[test]
fn attributes_are_judged_for_the_version_at_hand() {
    let fixture = Fixture::new(
        "==> main.cf <==\nsmtp_tls_policy_maps = texthash:$config_directory/t\n\
         ==> t <==\na.example encrypt enable_rpk=yes\n",
    );
    let rule = rules::find("policy-unknown-attribute").expect("it is a rule");
    let count = |version| postls::lint::run(rule, &fixture.context(version)).len();
    assert_eq!([count(Version::new(3, 7)), count(Version::new(3, 9))], [1, 0]);
}

/// Postfix minds comments behind a reference from 3.8 on.
#[test]
fn what_refers_to_a_value_with_a_comment_is_no_mistake_of_its_own() {
    let fixture = Fixture::new(
        "myhostname = a.example # public\nmyorigin = $myhostname\nown = x # mine\nsmtp_helo_name = $own\n",
    );
    let rule = rules::find("inline-comment").expect("it is a rule");
    let found = postls::lint::run(rule, &fixture.context(Version::new(3, 12)));
    let found = found.iter().map(|it| it.primary.text.as_str());
    let expected = ["the value is \"a.example # public\"", "postconf takes this for a comment"];
    assert_eq!(found.collect::<Vec<_>>(), expected);
}

/// The bad example of each rule, and all its cases.
pub(crate) fn all_examples() -> Vec<(&'static Rule, String)> {
    let bad = rules::all().map(|rule| (rule, rule.bad.to_owned()));
    let read = |path| fs::read_to_string(path).expect("it was listed");
    let cases = case_files().into_iter().map(|(rule, path)| (rule, read(path)));
    bad.chain(cases).collect()
}

/// `tests/cases/<rule_id>/*.cf`
pub(crate) fn case_files() -> Vec<(&'static Rule, PathBuf)> {
    let mut cases = Vec::new();
    for folder in fs::read_dir("tests/cases").expect("there are cases") {
        let folder = folder.expect("it can be listed").path();
        let name = folder.file_name().expect("it has a name").to_string_lossy().replace('_', "-");
        let rule = rules::find(&name).unwrap_or_else(|| panic!("{name} is no rule"));
        for file in fs::read_dir(&folder).expect("it can be listed") {
            cases.push((rule, file.expect("it can be listed").path()));
        }
    }
    cases.sort_by(|a, b| a.1.cmp(&b.1));
    cases
}
