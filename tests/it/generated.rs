//! Files that are written from the code. `BLESS=1 cargo test` writes them.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use postls::lint::explain;
use postls::rules;

use crate::copyright;

#[test]
fn rule_pages_are_current() {
    let folder = Path::new("docs/rules");
    let mut pages = vec!["README.md".to_owned()];
    let mut index = "# Rules\n\nWritten from the rules by `BLESS=1 cargo test`; `postls explain RULE` prints the same pages.\n".to_owned();
    for (topic, rules) in rules::topics() {
        write!(index, "\n## {topic}\n\n| rule | severity | finds that |\n| --- | --- | --- |\n")
            .unwrap();
        for rule in rules {
            let page = format!("{}.md", rule.id);
            writeln!(
                index,
                "| [{}]({page}) | {} | {} |",
                rule.id,
                rule.severity.name(),
                rule.summary
            )
            .unwrap();
            is_current(&folder.join(&page), &explain::page(rule));
            pages.push(page);
        }
    }
    is_current(&folder.join("README.md"), &index);
    for page in fs::read_dir(folder).expect("there are pages") {
        let name = page.expect("it can be listed").file_name().to_string_lossy().into_owned();
        assert!(pages.contains(&name), "docs/rules/{name} belongs to no rule");
    }
}

/// What packages bring along: the program prints the same.
#[test]
fn completions_and_manual_pages_are_current() {
    for (path, arguments) in [
        ("completions/postls.bash", ["completions", "bash"]),
        ("completions/_postls", ["completions", "zsh"]),
        ("completions/postls.fish", ["completions", "fish"]),
        ("docs/man/postls.8", ["man", "postls"]),
        ("docs/man/postls.yaml.5", ["man", "postls.yaml"]),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_postls")).args(arguments).output();
        let text = output.expect("the program was built").stdout;
        is_current(Path::new(path), &String::from_utf8(text).expect("it is text"));
    }
}

/// Whose work is in the package.
#[test]
fn the_copyright_file_is_current() {
    if let Some(text) = copyright::text() {
        is_current(Path::new("packaging/copyright"), &text);
    }
}

/// The page of the policy file names every key that its schema has.
#[test]
fn the_page_of_the_policy_file_names_every_key() {
    let Ok(schema) = fs::read("schemas/policy.schema.json") else {
        println!("skipped: there is no schema");
        return;
    };
    let schema: serde_json::Value = serde_json::from_slice(&schema).expect("it is JSON");
    let mut keys = BTreeSet::new();
    add_keys(&schema, &mut keys);
    let page = fs::read_to_string("docs/man/postls.yaml.5").expect("it is there");
    let page = page.replace("\\-", "-");
    let words: Vec<&str> =
        page.split(|it: char| it != '-' && it != '_' && !it.is_alphanumeric()).collect();
    let missing: Vec<&String> = keys.iter().filter(|it| !words.contains(&it.as_str())).collect();
    assert!(keys.len() > 20 && missing.is_empty(), "{missing:?} of {keys:?}");
}

fn add_keys(schema: &serde_json::Value, keys: &mut BTreeSet<String>) {
    if let Some(properties) = schema["properties"].as_object() {
        keys.extend(properties.keys().cloned());
    }
    let parts = schema.as_object().into_iter().flat_map(|it| it.values());
    let items = schema.as_array().into_iter().flatten();
    parts.chain(items).for_each(|it| add_keys(it, keys));
}

/// Compares a committed file with what the code makes of it.
pub(crate) fn is_current(path: &Path, want: &str) {
    if env::var_os("BLESS").is_some() {
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("it can be made");
        fs::write(path, want).expect("it can be written");
    }
    let have = fs::read_to_string(path).unwrap_or_default();
    assert!(have == want, "{} is out of date: run BLESS=1 cargo test", path.display());
}
