//! `packaging/copyright`: whose work is in the program, in Debian's machine-readable form.
//!
//! The libraries are those that cargo links on Linux; who wrote them is what their own license files say.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use serde_json::Value;

const HEAD: &str = "\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: postls
Source: https://github.com/postls/postls
Comment:
 Below crates/ are the libraries that are linked into the program, by their names in Cargo.lock.
 Written by BLESS=1 cargo test.

Files: *
Copyright: 2026 The postls authors
License: Expat or Apache-2.0

Files: rust/library/*
Copyright: The Rust Project contributors
License: Expat
Comment: The standard library.

Files: crates/pcre2-sys/upstream/*
Copyright: 1997-2024 University of Cambridge
License: BSD-3-Clause

Files: crates/pcre2-sys/upstream/deps/sljit/*
Copyright: Zoltan Herczeg <hzmester@freemail.hu>
License: BSD-2-Clause
";

/// The names under which the texts stand in packaging/licenses.
const TEXTS: [&str; 7] =
    ["Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "Expat", "ISC", "Unicode-3.0", "Zlib"];

/// The whole file; nothing where no cargo is.
pub(crate) fn text() -> Option<String> {
    let metadata = metadata()?;
    let mut stanzas: BTreeMap<(String, &str), BTreeSet<&str>> = BTreeMap::new();
    for package in linked(&metadata) {
        let name = package["name"].as_str().expect("it has a name");
        let license = package["license"].as_str().map(license_of).expect("it has a license");
        let license = license.unwrap_or_else(|| panic!("{name}: {} is new", package["license"]));
        stanzas.entry((holders(package), license)).or_default().insert(name);
    }
    let mut text = HEAD.to_owned();
    for ((holders, license), names) in &stanzas {
        let files: Vec<String> = names.iter().map(|it| format!("crates/{it}/*")).collect();
        let files = files.join("\n ");
        write!(text, "\nFiles: {files}\nCopyright: {holders}\nLicense: {license}\n").unwrap();
    }
    for name in TEXTS {
        let license =
            fs::read_to_string(format!("packaging/licenses/{name}")).expect("it is there");
        writeln!(text, "\nLicense: {name}").unwrap();
        for line in license.trim_end().lines().map(str::trim_end) {
            writeln!(text, " {}", if line.is_empty() { "." } else { line }).unwrap();
        }
    }
    Some(text)
}

fn metadata() -> Option<Value> {
    if !Path::new(env!("CARGO")).exists() {
        println!("skipped: the tests run where no cargo is");
        return None;
    }
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .output()
        .expect("cargo runs the tests");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).expect("it is JSON"))
}

/// What ends up in the program: no build scripts, tests or macros, nor what only these use.
fn linked(metadata: &Value) -> Vec<&Value> {
    let list = |it: &'_ Value| it.as_array().expect("it is a list").clone();
    let is_macro = |package: &Value| {
        package["targets"][0]["kind"].as_array().is_some_and(|it| it.contains(&"proc-macro".into()))
    };
    let root = metadata["resolve"]["root"].as_str().expect("it has a root");
    let mut reached = BTreeSet::from([root.to_owned()]);
    let mut waiting = vec![root.to_owned()];
    let packages = metadata["packages"].as_array().expect("it lists packages");
    let package = |id: &str| packages.iter().find(|it| it["id"] == id).expect("it is listed");
    while let Some(id) = waiting.pop() {
        let nodes = metadata["resolve"]["nodes"].as_array().expect("it lists nodes");
        let node = nodes.iter().find(|it| it["id"] == *id).expect("it is resolved");
        for dependency in list(&node["deps"]) {
            let used = dependency["pkg"].as_str().expect("it has an id");
            let is_linked = list(&dependency["dep_kinds"]).iter().any(|it| it["kind"].is_null());
            if is_linked && !is_macro(package(used)) && reached.insert(used.to_owned()) {
                waiting.push(used.to_owned());
            }
        }
    }
    reached.iter().filter(|it| *it != root).map(|it| package(it)).collect()
}

/// Which of the licenses that are offered we take.
fn license_of(expression: &str) -> Option<&'static str> {
    let words: Vec<&str> =
        expression.split(|it: char| " /()".contains(it)).filter(|it| !it.is_empty()).collect();
    let has = |it: &str| words.contains(&it);
    match words[..] {
        [.., "AND", "Unicode-3.0"] if has("MIT") => Some("Expat and Unicode-3.0"),
        _ if has("AND") => None,
        _ if has("MIT") => Some("Expat"),
        ["Apache-2.0"] => Some("Apache-2.0"),
        ["BSD-3-Clause"] => Some("BSD-3-Clause"),
        ["ISC"] => Some("ISC"),
        ["Zlib"] => Some("Zlib"),
        _ => None,
    }
}

/// Who the license files say it is; else the authors, and else nobody who has a name.
fn holders(package: &Value) -> String {
    let manifest = Path::new(package["manifest_path"].as_str().expect("it has a manifest"));
    let folder = manifest.parent().expect("it is in a folder");
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("cargo has it").map(|it| it.expect("it is listed")) {
        let name = entry.file_name().to_string_lossy().to_uppercase();
        if !name.starts_with("LICENSE") && !name.starts_with("COPYING") {
            continue;
        }
        let text = fs::read(entry.path()).unwrap_or_default();
        for line in String::from_utf8_lossy(&text).lines() {
            found.extend(holder(line));
        }
    }
    if found.is_empty() {
        let authors = package["authors"].as_array().into_iter().flatten();
        found.extend(authors.filter_map(|it| it.as_str()).map(str::to_owned));
    }
    if found.is_empty() {
        found.insert("its contributors".to_owned());
    }
    Vec::from_iter(found).join("\n ")
}

/// `Copyright (c) 2024 Somebody`, but no sentence about copyright and no form to fill in.
fn holder(line: &str) -> Option<String> {
    let rest = line.trim().strip_prefix("Copyright ")?;
    let marked = ["(c)", "(C)", "©"].iter().find_map(|it| rest.strip_prefix(it));
    let rest = marked.unwrap_or(rest).trim();
    let is_form = rest.starts_with(['[', '{']);
    let is_name = marked.is_some() || rest.starts_with(|it: char| it.is_ascii_digit());
    (is_name && !is_form && !rest.is_empty()).then(|| rest.to_owned())
}
