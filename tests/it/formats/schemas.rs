//! The JSON Schemas of what postls prints and reads: they are current, they are schemas, and what
//! is printed and read is as they say.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use jsonschema::Validator;
use postls::policy::yaml;
use postls::report::Root;
use postls::report::schema::SCHEMAS;
use postls::rules;
use postls::text::Sources;
use serde_json::Value;

use super::{examples, nasty, parsed, rendered, valid, validator};
use crate::fixture;

fn text(name: &str) -> String {
    let schema = SCHEMAS.iter().find(|it| it.name == name).expect("it is a schema");
    (schema.text)()
}

fn schema(name: &str) -> Validator {
    validator(&parsed(&text(name)))
}

#[test]
fn schemas_are_current() {
    for it in SCHEMAS {
        crate::generated::is_current(&Path::new("schemas").join(it.file), &(it.text)());
    }
    for file in fs::read_dir("schemas").expect("there are schemas") {
        let name = file.expect("it can be listed").file_name().to_string_lossy().into_owned();
        assert!(SCHEMAS.iter().any(|it| it.file == name), "schemas/{name} is of nothing");
    }
}

#[test]
fn schemas_are_schemas_with_a_word_on_everything() {
    for it in SCHEMAS {
        let schema = parsed(&(it.text)());
        jsonschema::meta::validate(&schema).expect("it is a schema");
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
        let address = schema["$id"].as_str().expect("it is text");
        assert!(address.ends_with(&format!("/schemas/{}", it.file)), "{address}");
        described(&schema, it.name);
    }
}

/// Each property says what it is, by itself or by what it refers to.
fn described(value: &Value, at: &str) {
    if let Some(properties) = value["properties"].as_object() {
        for (name, it) in properties {
            let says =
                it["description"].is_string() || it["$ref"].is_string() || it["allOf"].is_array();
            assert!(says, "{at}/{name} says nothing of itself");
        }
    }
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(key, it)| described(it, &format!("{at}/{key}")));
        }
        Value::Array(items) => items.iter().for_each(|it| described(it, at)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn findings_are_as_the_schema_says() {
    let lint = schema("lint");
    for (name, fixture, found) in examples() {
        let report = parsed(&rendered("json", &fixture.sources, &found, Root::default()));
        valid(&lint, &report, &name);
    }
    let (sources, found) = nasty();
    valid(&lint, &parsed(&rendered("json", &sources, &found, Root::default())), "nasty input");
    valid(&lint, &parsed(&rendered("json", &sources, &[], Root::default())), "no findings");
}

/// A schema that takes everything says nothing; one that takes no more fields breaks those who
/// read the next version with it.
#[test]
fn schemas_want_what_is_promised_and_take_what_is_added() {
    let lint = schema("lint");
    let (sources, found) = nasty();
    let report = parsed(&rendered("json", &sources, &found, Root::default()));
    let more = |pointer: &str| {
        let mut report = report.clone();
        let object = report.pointer_mut(pointer).and_then(Value::as_object_mut);
        object.expect("it is an object").insert("new".to_owned(), Value::Null);
        report
    };
    for pointer in ["", "/summary", "/findings/0", "/findings/0/related/0"] {
        assert!(lint.is_valid(&more(pointer)), "{pointer}");
    }
    let promised = [
        ("", "schema postfix findings not_checked summary"),
        ("/findings/0", "rule severity message file line column end_line end_column related"),
        ("/findings/0/related/0", "file line column message"),
        ("/not_checked/0", "what why"),
        ("/summary", "error warning advice"),
    ];
    for (pointer, fields) in promised {
        for field in fields.split(' ') {
            let mut report = report.clone();
            let object = report.pointer_mut(pointer).and_then(Value::as_object_mut);
            object.expect("it is an object").remove(field).expect("it is there");
            assert!(!lint.is_valid(&report), "{pointer}/{field}");
        }
    }
    for (pointer, wrong) in [("/findings/0/severity", "bad"), ("/schema", "postls/lint/v2")] {
        let mut report = report.clone();
        *report.pointer_mut(pointer).expect("it is there") = Value::from(wrong);
        assert!(!lint.is_valid(&report), "{pointer}");
    }
}

/// Every JSON object in the transcripts.
#[test]
fn transcripts_are_as_the_schemas_say() {
    let mut seen = BTreeSet::new();
    for file in fs::read_dir("tests/transcripts").expect("there are transcripts") {
        let path = file.expect("it can be listed").path();
        let text = fs::read_to_string(&path).expect("it can be read");
        for part in text.split("\n{\n").skip(1) {
            let Some((inside, _)) = part.split_once("\n}\n") else { continue };
            let Ok(value) = serde_json::from_str::<Value>(&format!("{{{inside}}}")) else {
                continue;
            };
            seen.insert(check(&value, &path.display().to_string()));
        }
    }
    let names: Vec<&str> = seen.iter().map(String::as_str).collect();
    assert_eq!(names, ["diff", "failure", "fingerprint", "lint", "publish", "query"]);
}

/// Holds an output against the schema that it names.
fn check(value: &Value, what: &str) -> String {
    let name = value["schema"].as_str().expect("it names its form");
    let name = name.split('/').nth(1).expect("postls/NAME/v1");
    valid(&schema(name), value, what);
    name.to_owned()
}

fn postls(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_postls")).args(arguments).output().expect("it is built")
}

#[test]
fn the_program_prints_what_the_schemas_say() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let directory = scratch.path().to_string_lossy();
    for name in ["main.cf", "master.cf", "postls.yaml"] {
        fs::copy(Path::new("examples/mailhost").join(name), scratch.path().join(name))
            .expect("it can be copied");
    }
    let certificate = "tests/data/certificates/mail.pem";
    let runs: [&[&str]; 10] = [
        &["lint", "-c", "examples/blog"],
        &["query", "-c", "examples/blog", "a.example", "b.example", "c.example", "d.example", "x"],
        &["fingerprint", "-c", "examples/blog", certificate, "tests/data/certificates/next.csr"],
        &["publish", "-c", "tests/data/certificates", "--next", certificate],
        &["diff", "-c", &directory],
        &["apply", "--check", "-c", &directory],
        &["apply", "--reload", "never", "-c", &directory],
        &["apply", "--reload", "never", "-c", &directory],
        &["history", "-c", &directory],
        &[
            "query",
            "-c",
            &directory,
            "bank.example",
            "partner.example",
            "[relay.example.net]:587",
            "nobody.example",
        ],
    ];
    for run in runs {
        let arguments = [run, &["--format", "json", "--postfix", "3.7"]].concat();
        let output = postls(&arguments);
        let printed = String::from_utf8(output.stdout).expect("it is text");
        assert!(!printed.is_empty(), "{run:?}: {}", String::from_utf8_lossy(&output.stderr));
        check(&parsed(&printed), &format!("{run:?}"));
    }
}

#[test]
fn the_program_prints_schemas_by_name() {
    let list = String::from_utf8(postls(&["schema"]).stdout).expect("it is text");
    let names: Vec<&str> = list.lines().filter_map(|it| it.split(' ').next()).collect();
    let all = [
        "lint",
        "query",
        "diff",
        "failure",
        "plan",
        "pins",
        "fingerprint",
        "publish",
        "probe",
        "history",
        "policy",
    ];
    assert_eq!(names, all);
    for name in names {
        let output = postls(&["schema", name]);
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(String::from_utf8(output.stdout).expect("it is text"), text(name));
    }
    for (name, complaint) in [
        ("qeury", "postls: there is no schema \"qeury\"; did you mean \"query\"?\n"),
        (
            "zzzzzz",
            "postls: there is no schema \"zzzzzz\"; there are lint, query, diff, failure, plan, pins, fingerprint, publish, probe, history, policy\n",
        ),
    ] {
        let output = postls(&["schema", name]);
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(String::from_utf8_lossy(&output.stderr), complaint);
    }
}

/// YAML as those who validate it with a schema take it.
fn from_yaml(text: &str) -> Option<Value> {
    use granit_parser::{Event, Parser, ScalarStyle};
    let mut open: Vec<(Value, Option<String>)> = vec![(Value::Array(Vec::new()), None)];
    for event in Parser::new_from_str(text) {
        let done = match event.ok()?.0 {
            Event::SequenceStart(..) => {
                open.push((Value::Array(Vec::new()), None));
                continue;
            }
            Event::MappingStart(..) => {
                open.push((Value::Object(serde_json::Map::new()), None));
                continue;
            }
            Event::Scalar(text, ScalarStyle::Plain, ..) => plain(&text),
            Event::Scalar(text, ..) => Value::from(text.as_ref()),
            Event::SequenceEnd | Event::MappingEnd => open.pop()?.0,
            _ => continue,
        };
        match open.last_mut()? {
            (Value::Array(items), _) => items.push(done),
            (Value::Object(fields), key) => match key.take() {
                Some(key) => {
                    fields.insert(key, done);
                }
                None => {
                    *key = Some(done.as_str().map_or_else(|| done.to_string(), str::to_owned));
                }
            },
            _ => return None,
        }
    }
    open.pop()?.0.as_array()?.first().cloned()
}

fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if text.parse::<i64>().is_ok() => Value::from(text.parse::<i64>().ok()),
        _ if text.starts_with(|it: char| it.is_ascii_digit() || it == '-') => {
            text.parse::<f64>().map_or_else(|_| Value::from(text), Value::from)
        }
        _ => Value::from(text),
    }
}

/// The policy file of an example, if it has one.
fn policy_of(example: &str) -> Option<Value> {
    let files = fixture::files(example);
    let (_, text) = files.into_iter().find(|(name, _)| *name == "postls.yaml")?;
    from_yaml(text)
}

#[test]
fn good_policy_files_are_as_the_schema_says() {
    let schema = schema("policy");
    let readme = fs::read_to_string("README.md").expect("it is there");
    let (_, rest) = readme.split_once("```yaml\n").expect("it shows YAML");
    let (readme, _) = rest.split_once("```").expect("the block ends");
    let mailhost = fs::read_to_string("examples/mailhost/postls.yaml").expect("it is there");
    for text in [readme, &mailhost] {
        valid(&schema, &from_yaml(text).expect("it is YAML"), text);
    }
    let mut count = 0;
    for rule in rules::all() {
        if let Some(policy) = policy_of(rule.good) {
            count += 1;
            valid(&schema, &policy, rule.id);
        }
    }
    assert!(count >= 8, "only {count} policy files");
}

#[test]
fn mistakes_of_form_in_policy_files_are_found_by_the_schema() {
    let schema = schema("policy");
    for name in ["unknown-key", "wrong-type", "incomplete", "version", "value-invalid"] {
        let rule = rules::find(&format!("policy-file-{name}")).expect("it is a rule");
        let policy = policy_of(rule.bad).expect("it is YAML");
        assert!(!schema.is_valid(&policy), "{}", rule.id);
    }
    for wrong in [
        "destinations: {}",
        "version: 1\ntable:",
        "version: 1\ntable: {type: mysql}",
        "version: 1\ndestinations: {a.example: {level: secure, pins: [{note: x}]}}",
        "version: 1\ndestinations: {a.example: {level: secure, match: []}}",
        "version: 1\ndestinations: {a.example: {level: secure, expires: tomorrow}}",
        "version: 1\nlint: {allow: {inline-comment: }}",
        "version: 1\nlint: {allow: {inline-comment: {until: 2027-01-31}}}",
        "version: 1\nlint: {severity: {inline-comment: bad}}",
        "- version: 1",
    ] {
        assert!(!schema.is_valid(&from_yaml(wrong).expect("it is YAML")), "{wrong}");
        assert!(has_problems(wrong), "{wrong}");
    }
}

/// Whether the reader finds something too.
fn has_problems(text: &str) -> bool {
    let mut sources = Sources::default();
    let id = sources.add("postls.yaml", text.as_bytes().to_vec());
    let file = yaml::read(id, text.as_bytes(), yaml::Role::Main);
    !postls::policy::join(vec![file]).1.is_empty()
}

/// What the reader says that may stand where an unknown key stands.
fn keys(text: &str) -> BTreeSet<String> {
    let mut sources = Sources::default();
    let id = sources.add("postls.yaml", text.as_bytes().to_vec());
    let file = yaml::read(id, text.as_bytes(), yaml::Role::Main);
    let (_, problems) = postls::policy::join(vec![file]);
    let mut helps = problems.iter().filter_map(|it| it.help.as_deref()?.strip_prefix("it has: "));
    helps.next().expect("it lists them").split(", ").map(str::to_owned).collect()
}

#[test]
fn the_reader_and_the_schema_of_policy_files_know_the_same_keys() {
    let schema = parsed(&text("policy"));
    let listed = |pointer: &str| -> BTreeSet<String> {
        let properties = schema.pointer(pointer).and_then(Value::as_object);
        properties.expect("it lists properties").keys().cloned().collect()
    };
    for (text, pointer) in [
        ("qqqqqqqq: 1", "/properties"),
        ("table: {qqqqqqqq: 1}", "/properties/table/properties"),
        ("lint: {qqqqqqqq: 1}", "/properties/lint/properties"),
        ("lint: {allow: {a: {qqqqqqqq: 1}}}", "/definitions/allow/oneOf/1/properties"),
        ("profiles: {a: {qqqqqqqq: 1}}", "/definitions/profile/properties"),
        ("destinations: {a.b: {qqqqqqqq: 1}}", "/definitions/destination/oneOf/1/properties"),
        (
            "destinations: {a.b: {level: secure, pins: [{qqqqqqqq: 1}]}}",
            "/definitions/pin/properties",
        ),
    ] {
        assert_eq!(keys(&format!("version: 1\n{text}\n")), listed(pointer), "{pointer}");
    }
}
