//! Files that are written from the code. `BLESS=1 cargo test` writes them.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use postls::lint::explain;
use postls::rules;

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

/// Compares a committed file with what the code makes of it.
pub(crate) fn is_current(path: &Path, want: &str) {
    if env::var_os("BLESS").is_some() {
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("it can be made");
        fs::write(path, want).expect("it can be written");
    }
    let have = fs::read_to_string(path).unwrap_or_default();
    assert!(have == want, "{} is out of date: run BLESS=1 cargo test", path.display());
}
