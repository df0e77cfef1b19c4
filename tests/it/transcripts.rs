//! Whole-program output: `$ command` lines and what they print, in the README
//! and under tests/transcripts. `BLESS=1 cargo test` writes what they print now.
//!
//! Each block runs by itself in a directory that holds a copy of examples/ and,
//! as certificates/, of tests/data/certificates, without a Postfix in reach, so that the output is the same everywhere.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn the_readme_shows_what_is_printed() {
    check(Path::new("README.md"));
}

#[test]
fn transcripts_show_what_is_printed() {
    let mut files: Vec<PathBuf> = fs::read_dir("tests/transcripts")
        .expect("there are transcripts")
        .map(|it| it.expect("it can be listed").path())
        .collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        check(&file);
    }
}

/// What the README shows as a policy file is one, without a mistake.
#[test]
fn the_readme_shows_a_policy_file_that_is_read() {
    let text = fs::read_to_string("README.md").expect("it is there");
    let (_, rest) = text.split_once("```yaml\n").expect("it shows YAML");
    let (yaml, _) = rest.split_once("```").expect("the block ends");
    assert_eq!(crate::plan::policies(yaml).destinations.len(), 4);
}

/// Compares every ```console block of a file with what its commands print.
fn check(file: &Path) {
    let text = fs::read_to_string(file).expect("it is there");
    let mut want = String::new();
    let mut blocks = 0;
    for (index, part) in text.split("```").enumerate() {
        if index > 0 {
            want += "```";
        }
        // Every second part is a block.
        if let (1, Some(block)) = (index % 2, part.strip_prefix("console\n")) {
            want += "console\n";
            want += &run(block);
            blocks += 1;
        } else {
            want += part;
        }
    }
    assert!(blocks > 0, "{} shows nothing", file.display());
    crate::generated::is_current(file, &want);
}

/// The commands of a block, each followed by what it prints.
fn run(block: &str) -> String {
    let directory = tempfile::tempdir().expect("a temporary directory");
    copy(Path::new("examples"), &directory.path().join("examples"));
    copy(Path::new("tests/data/certificates"), &directory.path().join("certificates"));
    let program = Path::new(env!("CARGO_BIN_EXE_postls"));
    let mut result = String::new();
    for command in block.lines().filter_map(|line| line.strip_prefix("$ ")) {
        let output = Command::new("sh")
            .args(["-c", &format!("{{ {command}; }} 2>&1")])
            .current_dir(directory.path())
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", program.parent().expect("a folder").display()))
            .env("LC_ALL", "C.UTF-8")
            .output()
            .expect("sh runs");
        let printed = String::from_utf8_lossy(&output.stdout);
        write!(result, "$ {command}\n{printed}").expect("a String takes it");
    }
    result
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("it can be made");
    for entry in fs::read_dir(from).expect("it is a folder") {
        let entry = entry.expect("it can be listed");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("it can be copied");
        }
    }
}
