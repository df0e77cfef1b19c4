//! The forms of lint's report: each says of every example where the marks stand, whatever stands
//! before them, and is of the form that its readers know.

mod github;
mod paths;
mod schemas;

use std::ops::Range;
use std::path::PathBuf;
use std::{fs, str};

use jsonschema::Validator;
use postls::finding::{Finding, Fix, Label, NotChecked, Safety, Severity};
use postls::postfix::Version;
use postls::report::{FORMATS, NotShown, Report, Root, Style};
use postls::rules;
use postls::text::{Edit, Sources, Span};
use serde_json::{Value, json};

use crate::fixture::Fixture;

pub(crate) const STYLE: Style = Style { color: false, unicode: false, links: false, quiet: false };

/// What is printed in a format of findings.
pub(crate) fn rendered(format: &str, sources: &Sources, found: &[Finding], root: Root) -> String {
    let format = FORMATS.iter().find(|it| it.name == format).expect("it is a format");
    let topics = rules::topics();
    let all = topics.flat_map(|(topic, all)| all.iter().map(move |it| (topic, *it)));
    // A rule for each finding, so that the examples need not repeat all pages.
    let asked =
        all.filter(|(_, rule)| found.is_empty() || found.iter().any(|it| it.rule == rule.id));
    let report = Report {
        findings: found.iter().map(|it| (sources, it)).collect(),
        not_shown: NotShown::default(),
        not_checked: &[NotChecked { what: "a\nb".to_owned(), why: "c: d".to_owned() }],
        postfix: Version::new(3, 7),
        postfix_why: "--postfix",
        rules: asked.collect(),
        root,
    };
    (format.lint)(&report, STYLE)
}

/// Every example that shows something, with what its rule finds: in the order of its marks.
pub(crate) fn examples() -> impl Iterator<Item = (String, Fixture, Vec<Finding>)> {
    let bad = rules::all().map(|rule| (rule, rule.id.to_owned(), rule.bad.to_owned()));
    let cases = crate::rules::case_files().into_iter().map(|(rule, path)| {
        (rule, path.display().to_string(), fs::read_to_string(&path).expect("it was listed"))
    });
    bad.chain(cases).map(|(rule, name, text)| {
        let fixture = Fixture::new(&text);
        let found = fixture.found_by(rule);
        (name, fixture, found)
    })
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("it is JSON")
}

pub(crate) fn validator(schema: &Value) -> Validator {
    let options = jsonschema::options().should_validate_formats(true);
    options.build(schema).expect("it is a schema")
}

/// The official schema of SARIF, without a pattern that is none for all who read it: a bracket
/// in it is not opened.
fn official() -> Validator {
    let text = fs::read_to_string("tests/data/sarif-schema-2.1.0.json").expect("it is there");
    let mut schema = parsed(&text);
    for name in ["run", "toolComponent"] {
        let language = schema.pointer_mut(&format!("/definitions/{name}/properties/language"));
        language.and_then(Value::as_object_mut).expect("it is there").remove("pattern");
    }
    validator(&schema)
}

#[track_caller]
pub(crate) fn valid(validator: &Validator, value: &Value, what: &str) {
    let errors: Vec<String> =
        validator.iter_errors(value).map(|it| format!("{}: {it}", it.instance_path())).collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}\n{value:#}");
}

fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().expect("it is a number")).expect("it fits")
}

/// The lines of a file as somebody reads it who takes it for UTF-8, in UTF-16.
fn lines(bytes: &[u8]) -> Vec<Vec<u16>> {
    let text = String::from_utf8_lossy(bytes);
    text.split('\n').map(|it| it.encode_utf16().collect()).collect()
}

/// What stands before a region in its first line, and the region's text.
fn cut(bytes: &[u8], region: &Value) -> (String, String) {
    let lines = lines(bytes);
    let at = |key: &str| number(&region[key]) - 1;
    let (start, end) = (at("startLine"), at("endLine"));
    let mut text = lines[start..=end].join(&u16::from(b'\n'));
    let kept = text.len() - lines[end].len() + at("endColumn");
    assert!(at("endColumn") <= lines[end].len(), "{region} ends behind its line");
    text.truncate(kept);
    let (before, text) = text.split_at(at("startColumn"));
    (String::from_utf16_lossy(before), String::from_utf16_lossy(text))
}

/// The same of a mark. One that ends with a line's end is its text without it.
fn of_mark(bytes: &[u8], mark: &Range<usize>) -> (String, String) {
    let start = bytes[..mark.start].iter().rposition(|it| *it == b'\n').map_or(0, |at| at + 1);
    let text = &bytes[mark.clone()];
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let lossy = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (lossy(&bytes[start..mark.start]), lossy(text))
}

/// Line and column in bytes, from 1.
fn line_column(bytes: &[u8], at: usize) -> (usize, usize) {
    let before = &bytes[..at];
    let line = before.split(|it| *it == b'\n').count();
    (line, at - before.iter().rposition(|it| *it == b'\n').map_or(0, |it| it + 1) + 1)
}

fn bytes<'s>(sources: &'s Sources, name: &str) -> &'s [u8] {
    let source = sources.iter().find(|(_, it)| it.name() == name);
    source.unwrap_or_else(|| panic!("{name:?} is a file")).1.bytes()
}

#[test]
fn sarif_is_valid_and_points_at_the_marks() {
    let official = official();
    for (name, fixture, found) in examples() {
        let log = parsed(&rendered("sarif", &fixture.sources, &found, Root::default()));
        valid(&official, &log, &name);
        let run = &log["runs"][0];
        assert_eq!(run["columnKind"], "utf16CodeUnits");
        let results = run["results"].as_array().expect("it is a list");
        let marks = fixture.marks();
        assert_eq!(results.len(), marks.len(), "{name}");
        for ((result, mark), finding) in results.iter().zip(&marks).zip(&found) {
            let place = &result["locations"][0]["physicalLocation"];
            let file = place["artifactLocation"]["uri"].as_str().expect("it is text");
            assert_eq!(file, mark.0, "{name}");
            let bytes = bytes(&fixture.sources, file);
            assert_eq!(cut(bytes, &place["region"]), of_mark(bytes, &mark.1), "{name}");
            let text = result["message"]["text"].as_str().expect("it is text");
            assert!(text.starts_with(&finding.message()), "{name}: {text}");
            let rule = &run["tool"]["driver"]["rules"][number(&result["ruleIndex"])];
            assert_eq!(rule["id"], finding.rule, "{name}");
            assert_eq!(result["ruleId"], finding.rule, "{name}");
            related_places_are_linked(&fixture, finding, result);
            let kept = finding.fix.as_ref().is_none_or(|_| result["fixes"].is_array());
            assert!(kept, "{name}: the fix is lost");
        }
    }
}

fn related_places_are_linked(fixture: &Fixture, finding: &Finding, result: &Value) {
    let text = result["message"]["text"].as_str().expect("it is text");
    for (index, label) in finding.related.iter().enumerate() {
        let location = &result["relatedLocations"][index];
        assert_eq!(location["id"], index + 1);
        assert_eq!(location["message"]["text"], label.text);
        assert!(text.contains(&format!("]({})", index + 1)), "{text}");
        let bytes = fixture.sources.of(label.span).bytes();
        let region = &location["physicalLocation"]["region"];
        assert_eq!(cut(bytes, region), of_mark(bytes, &label.span.range()), "{}", finding.rule);
    }
}

/// What GitHub's page on SARIF asks for, and the official schema does not.
#[test]
fn sarif_says_of_each_rule_what_github_wants_to_know() {
    let sources = Sources::default();
    let log = parsed(&rendered("sarif", &sources, &[], Root::default()));
    valid(&official(), &log, "no findings");
    assert_eq!(log["runs"][0]["results"], json!([]));
    let driver = &log["runs"][0]["tool"]["driver"];
    assert_eq!(driver["name"], "postls");
    let listed = driver["rules"].as_array().expect("it is a list");
    assert_eq!(listed.len(), rules::all().count());
    let mut security = 0;
    for (rule, listed) in rules::all().zip(listed) {
        assert_eq!(listed["id"], rule.id);
        for part in
            ["/shortDescription/text", "/fullDescription/text", "/help/text", "/help/markdown"]
        {
            let text = listed.pointer(part).and_then(Value::as_str).expect("it is text");
            let short = part.contains("help") || text.chars().count() <= 1024;
            assert!(!text.is_empty() && short, "{}{part}", rule.id);
        }
        let properties = &listed["properties"];
        let is_security =
            properties["tags"].as_array().expect("it is a list").contains(&json!("security"));
        security += usize::from(is_security);
        let score = properties["security-severity"]
            .as_str()
            .map(|it| it.parse::<f32>().expect("it is a number"));
        assert_eq!(score.is_some(), is_security, "{}", rule.id);
        assert!(score.is_none_or(|it| it > 0.0 && it <= 10.0));
        let (level, problem) = match rule.severity {
            Severity::Error => ("error", "error"),
            Severity::Warning => ("warning", "warning"),
            Severity::Advice => ("note", "recommendation"),
        };
        assert_eq!(listed["defaultConfiguration"]["level"], level);
        assert_eq!(properties["problem.severity"], problem);
    }
    assert!(security > 10, "rules of TLS are of security");
    let notes = &log["runs"][0]["invocations"][0]["toolExecutionNotifications"];
    assert_eq!(notes[0]["message"]["text"], "not checked: a\nb: c: d");
}

#[test]
fn json_points_at_the_marks() {
    for (name, fixture, found) in examples() {
        let report = parsed(&rendered("json", &fixture.sources, &found, Root::default()));
        let items = report["findings"].as_array().expect("it is a list");
        let marks = fixture.marks();
        assert_eq!(items.len(), marks.len(), "{name}");
        for (item, mark) in items.iter().zip(marks) {
            assert_eq!(item["file"], mark.0, "{name}");
            let bytes = bytes(&fixture.sources, &mark.0);
            let at = |line: &str, column: &str| (number(&item[line]), number(&item[column]));
            assert_eq!(at("line", "column"), line_column(bytes, mark.1.start), "{name}");
            assert_eq!(at("end_line", "end_column"), line_column(bytes, mark.1.end), "{name}");
        }
    }
}

/// The documented fields of GitLab's code quality report.
fn gitlab_schema() -> Value {
    json!({
        "type": "array",
        "items": {
            "type": "object",
            "required": ["description", "check_name", "fingerprint", "severity", "location"],
            "properties": {
                "description": {"type": "string", "minLength": 1},
                "check_name": {"type": "string", "minLength": 1},
                "fingerprint": {"type": "string", "minLength": 1},
                "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
                "location": {
                    "type": "object",
                    "required": ["path", "lines"],
                    "properties": {
                        "path": {"type": "string", "pattern": "^[^./]"},
                        "lines": {
                            "type": "object",
                            "required": ["begin"],
                            "properties": {"begin": {"type": "integer", "minimum": 1}},
                        },
                    },
                },
            },
        },
    })
}

#[test]
fn gitlab_points_at_the_marks() {
    let documented = validator(&gitlab_schema());
    for (name, fixture, found) in examples() {
        let report = parsed(&rendered("gitlab", &fixture.sources, &found, Root::default()));
        valid(&documented, &report, &name);
        let items = report.as_array().expect("it is a list");
        for ((item, mark), finding) in items.iter().zip(fixture.marks()).zip(&found) {
            assert_eq!(item["location"]["path"], mark.0, "{name}");
            let (line, _) = line_column(bytes(&fixture.sources, &mark.0), mark.1.start);
            assert_eq!(number(&item["location"]["lines"]["begin"]), line, "{name}");
            assert_eq!(item["description"], finding.message(), "{name}");
            assert_eq!(item["check_name"], finding.rule, "{name}");
        }
        let mut known: Vec<&Value> = items.iter().map(|it| &it["fingerprint"]).collect();
        known.dedup();
        assert_eq!(known.len(), found.len(), "{name}");
    }
}

/// A name and a text that are hard to write down, with findings all over it.
pub(crate) fn nasty() -> (Sources, Vec<Finding>) {
    let mut sources = Sources::default();
    let text = "\u{feff}a = \u{1f4e7}\u{e4}".as_bytes().iter().copied();
    let text =
        text.chain(*b"\xff\xe2\x82 x, 100%: \r\n ::error::\n\xe4\xf6\n").collect::<Vec<u8>>();
    let length = text.len();
    let id = sources.add("a b/c,d%41::e\n\u{fffd}f;g.cf", text);
    let finding = |range: Range<usize>| Finding {
        rule: "inline-comment",
        severity: Severity::Error,
        summary: "100% of \"a, b: c\"\r\nand [more](1)",
        primary: Label {
            span: Span::new(id, range),
            text: "::warning file=x::\u{1b}[0m".to_owned(),
        },
        related: vec![Label {
            span: Span::new(id, 0..3),
            text: "[relay.example]:587 \\".to_owned(),
        }],
        help: Some("one\ntwo".to_owned()),
        fix: None,
    };
    let boundary = |at: &usize| text_boundary(&sources, *at);
    let places: Vec<usize> = (0..=length).filter(boundary).collect();
    let found = places.windows(2).flat_map(|it| [it[0]..it[1], it[0]..it[0]]);
    let found = found.chain([0..length, 0..length - 1]).map(finding).collect();
    (sources, found)
}

/// Whether a place is between two characters, or what stands for one.
fn text_boundary(sources: &Sources, at: usize) -> bool {
    let bytes = sources.iter().next().expect("there is one").1.bytes();
    let mut boundary = 0;
    for chunk in bytes.utf8_chunks() {
        for it in chunk.valid().chars() {
            if boundary == at {
                return true;
            }
            boundary += it.len_utf8();
        }
        if boundary == at {
            return true;
        }
        boundary += chunk.invalid().len();
    }
    boundary == at
}

#[test]
fn sarif_takes_any_name_and_any_bytes() {
    let (sources, found) = nasty();
    let root = || Root {
        repository: PathBuf::from("/r p"),
        directory: PathBuf::from("/r p/etc/./x/../post fix"),
        ..Root::default()
    };
    let log = parsed(&rendered("sarif", &sources, &found, root()));
    valid(&official(), &log, "nasty input");
    let bytes = sources.iter().next().expect("there is one").1.bytes();
    let results = log["runs"][0]["results"].as_array().expect("it is a list");
    assert_eq!(results.len(), found.len());
    for (result, finding) in results.iter().zip(&found) {
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(
            place["artifactLocation"]["uri"],
            "etc/post%20fix/a%20b/c%2Cd%2541%3A%3Ae%0A%EF%BF%BDf%3Bg.cf"
        );
        let range = finding.primary.span.range();
        assert_eq!(cut(bytes, &place["region"]), of_mark(bytes, &range), "{range:?}");
        let text = result["message"]["text"].as_str().expect("it is text");
        assert!(text.ends_with("\none\ntwo\nsee [\\[relay.example\\]:587 \\\\](1)"), "{text}");
    }
}

#[test]
fn sarif_has_no_fix_of_a_file_with_passwords_and_none_that_is_not_text() {
    let mut sources = Sources::default();
    let open = sources.add("main.cf", b"a = \xff b\n".to_vec());
    let secret = sources.add("sasl_passwd", b"a hidden\n".to_vec());
    sources.keep_secret(secret);
    let finding = |source, text: &[u8]| Finding {
        rule: "inline-comment",
        severity: Severity::Error,
        summary: "so",
        primary: Label { span: Span::new(source, 0..1), text: "here".to_owned() },
        related: Vec::new(),
        help: None,
        fix: Some(Fix {
            safety: Safety::Safe,
            title: "say it otherwise".to_owned(),
            edits: vec![
                Edit::new(Span::new(source, 0..1), text),
                Edit::new(Span::new(source, 2..2), *b""),
            ],
        }),
    };
    let found = [finding(open, b"x"), finding(open, b"\xff"), finding(secret, b"hidden")];
    let text = rendered("sarif", &sources, &found, Root::default());
    assert!(!text.contains("hidden"), "{text}");
    let log = parsed(&text);
    valid(&official(), &log, "fixes");
    let results = &log["runs"][0]["results"];
    let fixes = [0, 1, 2].map(|it: usize| results[it]["fixes"].is_array());
    assert_eq!(fixes, [true, false, false]);
    let region =
        |column| json!({"startLine": 1, "startColumn": column, "endLine": 1, "endColumn": column});
    let change = &results[0]["fixes"][0]["artifactChanges"][0];
    assert_eq!(change["artifactLocation"]["uri"], "main.cf");
    assert_eq!(change["replacements"][0]["insertedContent"]["text"], "x");
    assert_eq!(change["replacements"][0]["deletedRegion"]["endColumn"], 2);
    assert_eq!(change["replacements"][1]["deletedRegion"], region(3));
}
