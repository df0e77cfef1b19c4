//! Many configuration directories in one run: what is found is what each run by itself finds, in
//! the order of the arguments.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::fixture;

/// Every example of a rule is a directory.
#[test]
fn many_directories_are_linted_as_each_by_itself() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let mut names = Vec::new();
    for rule in postls::rules::all() {
        for (kind, text) in [("bad", rule.bad), ("good", rule.good)] {
            let name = format!("{kind}/{}", rule.id);
            let directory = scratch.path().join(&name);
            fs::create_dir_all(&directory).expect("it can be made");
            fs::write(directory.join("main.cf"), "").expect("it can be written");
            for (file, text) in fixture::files(text) {
                fs::write(directory.join(file), text).expect("it can be written");
            }
            names.push(name);
        }
    }
    let each: Vec<String> = names.iter().map(|name| prefixed(name, scratch.path())).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(lint(&names, scratch.path()), each.concat());
    assert!(each.len() > 50 && each.concat().lines().count() > 30);
}

/// What a run for one directory says, as one for many says it.
fn prefixed(name: &str, scratch: &Path) -> String {
    let lines = lint(&[name], scratch);
    lines.split_inclusive('\n').flat_map(|line| [name, "/", line]).collect()
}

fn lint(directories: &[&str], scratch: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postls"));
    command.args(["lint", "--postfix", "3.7", "--format", "short"]).args(directories);
    let output = command.current_dir(scratch).output().expect("it is built");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout).expect("it is text")
}
