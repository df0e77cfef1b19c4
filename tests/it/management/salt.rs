//! The state for Salt, by salt-call(1) without a master, where that is installed.

use std::fs;
use std::process::Command;

use serde_json::Value;

use super::{Hosts, POLICY, parsed, program_folder};
use crate::repository::said;
use crate::tools;

#[test]
fn salt_applies_what_has_to_be_applied() {
    let Some(salt) = tools::find_installed("salt-call") else { return };
    let hosts = Hosts::new(&["a"]);
    let state = fs::read_to_string("examples/salt/postls.sls").expect("it is there");
    hosts.write("salt", "states/postls.sls", &state);
    let settings = format!("user: root\nroot_dir: {}\n", hosts.path("salt", "root").display());
    hosts.write("salt", "minion", &settings);
    let directory = hosts.path("a", "").display().to_string();
    let pillar = format!("pillar={{postls: {{config_dir: {}}}}}", directory.trim_end_matches('/'));
    // What each state says of itself: its result and its changes.
    let run = |policy: &str, function: &str, arguments: &[&str]| -> Value {
        hosts.write("salt", "states/postls.yaml", policy);
        let mut command = Command::new(&salt);
        command
            .args(["--local", "--out=json", "--log-level=quiet", "--id=test"])
            .arg("--config-dir")
            .arg(hosts.path("salt", ""))
            .arg("--file-root")
            .arg(hosts.path("salt", "states"))
            .args([function, "postls", &pillar])
            .args(arguments)
            .env("PATH", format!("{}:/usr/bin:/bin", program_folder().display()))
            .env("HOME", hosts.scratch.path());
        let (_, text, complaint) = said(&command.output().expect("it starts"));
        assert!(text.starts_with('{'), "{text}{complaint}");
        parsed(&text)["local"].clone()
    };
    let results = |said: &Value| -> Vec<(String, Value, bool)> {
        let states = said.as_object().unwrap_or_else(|| panic!("{said}"));
        let mut all: Vec<_> = states.values().collect();
        all.sort_by_key(|it| it["__run_num__"].as_u64());
        let one = |it: &&Value| {
            let changes = it["changes"].as_object().is_some_and(|it| !it.is_empty());
            (it["__id__"].as_str().unwrap_or_default().to_owned(), it["result"].clone(), changes)
        };
        all.iter().map(one).collect()
    };
    let both = |result: Value, changes: bool| {
        ["postls policy file", "postls apply"].map(|it| (it.to_owned(), result.clone(), changes))
    };
    let shown = run(POLICY, "state.show_sls", &[]);
    assert!(shown.get("postls apply").is_some(), "{shown}");

    let said = run(POLICY, "state.apply", &["test=True"]);
    assert!(results(&said).iter().all(|it| it.1.is_null()), "it says what it would do: {said}");
    assert_eq!(hosts.files("a").len(), 1, "test=True writes nothing");
    let said = run(POLICY, "state.apply", &[]);
    assert_eq!(results(&said), both(Value::Bool(true), true), "{said}");
    assert!(hosts.read("a", "tls_policy").contains("a.example encrypt\n"));
    let said = run(POLICY, "state.apply", &[]);
    assert_eq!(results(&said), both(Value::Bool(true), false), "{said}");
    // A mistake does not reach the directory.
    let before = hosts.files("a");
    let said = run(&POLICY.replace("encrypt", "encypt"), "state.apply", &[]);
    assert!(results(&said).iter().all(|it| it.1 == Value::Bool(false)), "{said}");
    assert_eq!(hosts.files("a"), before);
    // What somebody else changes is put right.
    hosts.write("a", "tls_policy", "");
    run(POLICY, "state.apply", &[]);
    assert!(hosts.read("a", "tls_policy").contains("a.example encrypt\n"));
}
