//! What the compiler cannot check in one crate: layers, sizes, registration.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module and the modules it may use. Read it top down: nothing uses what
/// stands below it.
const LAYERS: &[(&str, &[&str])] = &[
    ("text", &[]),
    ("host", &[]),
    ("postfix", &[]),
    ("syntax", &["text"]),
    ("lookup", &["text", "postfix", "syntax"]),
    ("config", &["text", "postfix", "syntax", "lookup"]),
    ("finding", &["text"]),
    ("certificate", &["text", "postfix"]),
    ("policy", &["text", "postfix", "syntax", "lookup", "finding", "certificate"]),
    (
        "lint",
        &["text", "postfix", "syntax", "lookup", "config", "policy", "finding", "certificate"],
    ),
    (
        "rules",
        &[
            "text",
            "postfix",
            "syntax",
            "lookup",
            "config",
            "policy",
            "finding",
            "certificate",
            "lint",
        ],
    ),
    ("observation", &["certificate"]),
    ("verdict", &["text", "postfix", "policy", "certificate", "observation"]),
    ("probe", &["text", "postfix", "config", "policy", "certificate", "observation"]),
    ("plan", &["text", "postfix", "syntax", "config", "policy", "finding"]),
    ("apply", &["text", "host", "syntax", "plan"]),
    (
        "report",
        &[
            "text",
            "postfix",
            "syntax",
            "config",
            "policy",
            "finding",
            "certificate",
            "lint",
            "plan",
            "apply",
            "observation",
            "verdict",
        ],
    ),
    (
        "cli",
        &[
            "text",
            "host",
            "postfix",
            "lookup",
            "config",
            "policy",
            "finding",
            "lint",
            "rules",
            "plan",
            "apply",
            "certificate",
            "observation",
            "verdict",
            "probe",
            "report",
        ],
    ),
];

/// Only these use the named parts of the standard library.
const DOORS: &[(&str, &[&str])] = &[
    ("std::fs", &["host"]),
    ("std::process::Command", &["host"]),
    ("std::env", &["host", "cli"]),
    ("TcpStream", &["probe"]),
    ("UdpSocket", &["probe"]),
    ("ToSocketAddrs", &[]),
    ("SystemTime", &["host"]),
    ("Instant", &["probe"]),
];

const MAX_LINES: usize = 500;

#[test]
fn modules_use_only_what_they_may() {
    for (module, allowed) in LAYERS {
        for (path, text) in sources(module) {
            for used in text.match_indices("crate::").map(|(at, it)| word(&text[at + it.len()..])) {
                let fine = used == *module || allowed.contains(&used);
                assert!(fine, "{}: {module} must not use {used}", path.display());
            }
        }
    }
}

#[test]
fn no_module_may_use_one_below_it() {
    for (index, (module, allowed)) in LAYERS.iter().enumerate() {
        let above: Vec<&str> = LAYERS[..index].iter().map(|(it, _)| *it).collect();
        assert!(
            allowed.iter().all(|it| above.contains(it)),
            "{module} is not below all that it uses"
        );
    }
}

#[test]
fn every_module_has_a_layer() {
    let listed: BTreeSet<&str> = LAYERS.iter().map(|(module, _)| *module).collect();
    let lib = fs::read_to_string("src/lib.rs").expect("there is a library");
    let declared: BTreeSet<&str> = lib
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    assert_eq!(declared, listed);
}

#[test]
fn files_processes_and_the_clock_have_one_door() {
    for (part, doors) in DOORS {
        for (module, _) in LAYERS.iter().filter(|(module, _)| !doors.contains(module)) {
            for (path, text) in sources(module) {
                // `use std::{fs, …}` would hide it; rustfmt and this house write them apart.
                assert!(!text.contains(part), "{}: {part} is not for {module}", path.display());
            }
        }
    }
}

#[test]
fn every_rule_file_is_a_rule() {
    let ids: BTreeSet<String> =
        postls::rules::all().map(|rule| rule.id.replace('-', "_")).collect();
    let files: BTreeSet<String> = sources("rules")
        .iter()
        .map(|(path, _)| path.file_stem().expect("it has a name").to_string_lossy().into_owned())
        .filter(|stem| stem != "mod")
        .collect();
    assert_eq!(files, ids);
}

#[test]
fn files_say_what_they_are_for_and_stay_readable() {
    for (module, _) in LAYERS {
        for (path, text) in sources(module) {
            assert!(
                text.starts_with("//! "),
                "{}: no line that says what it is for",
                path.display()
            );
            let lines = text.lines().count();
            assert!(
                lines <= MAX_LINES,
                "{}: {lines} lines are two subjects in one room",
                path.display()
            );
        }
    }
}

/// A file in use is as it should be; a part that waits is a task, not code.
#[test]
fn nothing_is_left_unfinished() {
    for (module, _) in LAYERS {
        for (path, text) in sources(module) {
            for word in ["todo!", "unimplemented!", "dbg!(", "FIXME", "XXX"] {
                assert!(!text.contains(word), "{}: {word}", path.display());
            }
        }
    }
}

/// Nothing that we use asks for a newer Rust than we promise.
#[test]
fn dependencies_keep_the_promised_rust_version() {
    if !Path::new(env!("CARGO")).exists() {
        println!("skipped: the tests run where no cargo is");
        return;
    }
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .output()
        .expect("cargo runs the tests");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let packages = metadata["packages"].as_array().expect("it lists packages");
    // "1.88.0" is "1.88".
    let version = |text: &str| -> [u32; 3] {
        let mut numbers = text.split('.').map(|it| it.parse().unwrap_or(0));
        std::array::from_fn(|_| numbers.next().unwrap_or(0))
    };
    let ours = version(env!("CARGO_PKG_RUST_VERSION"));
    for package in packages {
        let theirs = package["rust_version"].as_str().map(version).unwrap_or_default();
        assert!(theirs <= ours, "{} needs Rust {:?}", package["name"], theirs);
    }
}

fn sources(module: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    collect(&Path::new("src").join(module), &mut found);
    collect(&Path::new("src").join(module).with_extension("rs"), &mut found);
    found
}

fn collect(path: &Path, found: &mut Vec<(PathBuf, String)>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("it is a folder") {
            collect(&entry.expect("it can be listed").path(), found);
        }
    } else if path.extension().is_some_and(|it| it == "rs")
        && let Ok(text) = fs::read_to_string(path)
    {
        found.push((path.to_owned(), text));
    }
}

fn word(text: &str) -> &str {
    &text[..text.find(|it: char| it != '_' && !it.is_alphanumeric()).unwrap_or(text.len())]
}
