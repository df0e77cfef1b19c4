//! Annotations of GitHub Actions, read back as its runner reads them.

use std::collections::HashMap;

use postls::finding::Severity;
use postls::report::Root;

use super::{bytes, examples, line_column, nasty, rendered};

/// A command in the log.
struct Command {
    name: String,
    properties: HashMap<String, String>,
    message: String,
}

/// The commands in a log: lines that begin with `::`.
fn commands(log: &str) -> Vec<Command> {
    log.split('\n')
        .filter_map(|it| it.trim_end_matches('\r').strip_prefix("::"))
        .map(command)
        .collect()
}

fn command(line: &str) -> Command {
    let (head, message) = line.split_once("::").expect("a command has two pairs of colons");
    let (name, properties) = head.split_once(' ').expect("it has properties");
    let property = |it: &str| {
        let (key, value) = it.split_once('=').expect("a property has a value");
        let value = value.replace("%3A", ":").replace("%2C", ",");
        (key.to_owned(), unescaped(&value))
    };
    Command {
        name: name.to_owned(),
        properties: properties.split(',').map(property).collect(),
        message: unescaped(message),
    }
}

fn unescaped(text: &str) -> String {
    text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
}

fn number(command: &Command, key: &str) -> usize {
    command.properties[key].parse().expect("it is a number")
}

#[test]
fn annotations_point_at_the_marks() {
    for (name, fixture, mut found) in examples() {
        let log = rendered("github", &fixture.sources, &found, Root::default());
        let commands = commands(&log);
        assert_eq!(commands.len(), found.len(), "{name}");
        found.sort_by_key(|it| std::cmp::Reverse(it.severity));
        for (command, finding) in commands.iter().zip(&found) {
            let severity = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Advice => "notice",
            };
            assert_eq!(command.name, severity, "{name}");
            let file = fixture.sources.of(finding.primary.span).name();
            assert_eq!(command.properties["file"], file, "{name}");
            assert_eq!(command.properties["title"], format!("postls ({})", finding.rule));
            let bytes = bytes(&fixture.sources, file);
            let range = finding.primary.span.range();
            let (line, column) = line_column(bytes, range.start);
            assert_eq!(number(command, "line"), line, "{name}");
            let one_line = command.properties["endLine"] == command.properties["line"];
            assert_eq!(one_line, command.properties.contains_key("col"), "{name}");
            if one_line && bytes.is_ascii() {
                assert_eq!(number(command, "col"), column, "{name}");
            }
            let message = postls::report::human::printable(&finding.message());
            assert!(command.message.starts_with(&message), "{name}: {}", command.message);
        }
    }
}

#[test]
fn annotations_take_any_name_and_any_text() {
    let (sources, found) = nasty();
    let log = rendered("github", &sources, &found, Root::default());
    let commands = commands(&log);
    assert_eq!(commands.len(), found.len(), "{log}");
    for command in &commands {
        assert_eq!(command.properties["file"], "a b/c,d%41::e\n\u{fffd}f;g.cf");
        // What a terminal obeys is not in it.
        assert_eq!(
            command.message,
            "100% of \"a, b: c\"??and [more](1): ::warning file=x::?[0m\none?two"
        );
    }
    let rest: Vec<&str> = log.lines().filter(|it| !it.starts_with("::error ")).collect();
    assert_eq!(rest, ["not checked: a?b: c: d"]);
}
