//! Paths are those of the repository, wherever in it lint was started and however the
//! configuration directory was called.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const MAIN_CF: &str = "smtp_tls_security_level = may # opportunistic\n";

/// The paths of all findings, in SARIF, for GitHub and for GitLab: each the same.
fn paths(directory: &Path, arguments: &[&str]) -> Vec<String> {
    let run = |format: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_postls"))
            .args(["lint", "--postfix", "3.7", "--format", format])
            .args(arguments)
            .current_dir(directory)
            .output()
            .expect("it is built");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        String::from_utf8(output.stdout).expect("it is text")
    };
    let sarif: Value = serde_json::from_str(&run("sarif")).expect("it is JSON");
    let results = sarif["runs"][0]["results"].as_array().expect("it is a list").clone();
    let pointer = "/locations/0/physicalLocation/artifactLocation/uri";
    let text = |it: &Value| it.as_str().expect("it is text").to_owned();
    let in_sarif: Vec<String> = results
        .iter()
        .map(|it| text(it.pointer(pointer).expect("it has a place")))
        .map(|it| it.strip_prefix("file://").map_or(it.clone(), str::to_owned))
        .collect();
    let gitlab: Value = serde_json::from_str(&run("gitlab")).expect("it is JSON");
    let gitlab = gitlab.as_array().expect("it is a list").iter();
    assert_eq!(gitlab.map(|it| text(&it["location"]["path"])).collect::<Vec<_>>(), in_sarif);
    let log = run("github");
    let in_log = log.lines().filter_map(|it| it.split_once("file=")?.1.split(',').next());
    assert_eq!(in_log.collect::<Vec<_>>(), in_sarif);
    in_sarif
}

#[test]
fn paths_are_those_of_the_repository() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let root = scratch.path().canonicalize().expect("it is there").join("repository");
    let postfix = root.join("etc/postfix");
    fs::create_dir_all(root.join(".git")).expect("it can be made");
    fs::create_dir_all(root.join("policies/partners")).expect("it can be made");
    for name in ["etc/postfix", "etc/other"] {
        fs::create_dir_all(root.join(name)).expect("it can be made");
        fs::write(root.join(name).join("main.cf"), MAIN_CF).expect("it can be written");
    }
    let policy = "version: 1\ninclude: [partners/*.yaml]\nno: 1\n";
    fs::write(root.join("policies/postls.yaml"), policy).expect("it can be written");
    let partner = root.join("policies/partners/a.yaml");
    fs::write(partner, "no: 1\n").expect("it can be written");
    let main_cf = ["etc/postfix/main.cf"];
    let absolute = postfix.to_string_lossy();
    assert_eq!(paths(&root, &["-c", "etc/postfix"]), main_cf);
    assert_eq!(paths(&root, &["-c", &absolute]), main_cf);
    assert_eq!(paths(&root, &["./etc/../etc/postfix"]), main_cf);
    assert_eq!(paths(&root, &["etc/postfix/main.cf"]), main_cf);
    assert_eq!(paths(&postfix, &["-c", "."]), main_cf);
    assert_eq!(paths(&postfix, &["main.cf"]), main_cf);
    assert_eq!(paths(&root.join("etc"), &["-q", "-c", "postfix"]), main_cf);
    let both = ["etc/other/main.cf", "etc/postfix/main.cf"];
    assert_eq!(paths(&root, &["etc/other", "./etc/postfix"]), both);
    assert_eq!(paths(&root.join("etc"), &["other", &absolute]), both);
    assert_eq!(paths(scratch.path(), &["-c", &absolute]), ["repository/etc/postfix/main.cf"]);
    // Outside of the repository.
    let elsewhere = scratch.path().canonicalize().expect("it is there").join("elsewhere");
    fs::create_dir(&elsewhere).expect("it can be made");
    fs::write(elsewhere.join("main.cf"), MAIN_CF).expect("it can be written");
    let outside = elsewhere.join("main.cf").to_string_lossy().into_owned();
    assert_eq!(paths(&root, &["-c", &elsewhere.to_string_lossy()]), [outside]);
    // A policy file that is not in the configuration directory.
    let policies = ["policies/postls.yaml", "policies/partners/a.yaml"];
    assert_eq!(paths(&root, &["-c", "etc/postfix", "policies/postls.yaml"])[..1], policies[..1]);
    assert_eq!(
        paths(&root.join("policies"), &["-c", "../etc/postfix", "postls.yaml"])[..1],
        policies[..1]
    );
}
