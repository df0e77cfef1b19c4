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
                let path = directory.join(file);
                fs::create_dir_all(path.parent().expect("it has one")).expect("it can be made");
                fs::write(path, text).expect("it can be written");
            }
            names.push(name);
        }
    }
    let each: Vec<String> = names.iter().map(|name| prefixed(name, scratch.path())).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(lint(&names, scratch.path()), each.concat());
    assert!(each.len() > 50 && each.concat().lines().count() > 30);
}

#[test]
fn every_directory_below_is_found_in_a_stable_order() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let put = |name: &str, text: &str| {
        let path = scratch.path().join(name);
        fs::create_dir_all(path.parent().expect("it has one")).expect("it can be made");
        fs::write(path, text).expect("it can be written");
    };
    let level = "smtp_tls_security_level = encypt\n";
    for name in
        ["b/etc/postfix/main.cf", "a/main.cf", "a/deep/er/main.cf", ".git/main.cf", "main.cf"]
    {
        put(name, level);
    }
    put("c/postls.yaml", "version: 2\n");
    put("d/other.cf", level);
    std::os::unix::fs::symlink("..", scratch.path().join("a/loop")).expect("it can be made");
    let files = |arguments: &[&str]| {
        let lines = lint(arguments, scratch.path());
        let file = |it: &str| it.split(':').next().unwrap_or_default().to_owned();
        lines.lines().map(file).collect::<Vec<_>>()
    };
    let all =
        ["main.cf", "a/main.cf", "a/deep/er/main.cf", "b/etc/postfix/main.cf", "c/postls.yaml"];
    assert_eq!(files(&["--recursive"]), all);
    assert_eq!(files(&["-r", "."]), all);
    assert_eq!(
        files(&["-r", "b", "a"]),
        ["b/etc/postfix/main.cf", "a/main.cf", "a/deep/er/main.cf"]
    );
    assert_eq!(files(&["-r", "-c", "a"]), ["a/main.cf", "a/deep/er/main.cf"]);
    let refused = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postls"));
        command.arg("lint").args(arguments).current_dir(scratch.path());
        let output = command.output().expect("it is built");
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).expect("it is text")
    };
    // What is there is linted all the same.
    assert!(
        refused(&["-r", "d", "a"])
            .contains("d: there is no main.cf and no postls.yaml in it or below it")
    );
    assert!(refused(&["-r", "nowhere"]).contains("nowhere: "));
    assert!(refused(&["-r", "--as", "main.cf", "a/main.cf"]).contains("--as"));
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
