//! The registry of parameters says what postconf says, in every version at hand.

use std::collections::BTreeMap;
use std::fs;

use postls::postfix::{self, Build};

use crate::judges::{self, Chamber, Judge};

/// Their defaults are read off the host and the process.
const OF_THE_HOST: [&str; 5] =
    ["mydomain", "myhostname", "mynetworks", "process_id", "process_name"];

fn build(judge: &Judge) -> Build {
    let program = fs::read(judge.postconf()).expect("it can be read");
    Build::of_program(&program).expect("it says what it is")
}

/// `name = value` lines; postconf prints a run of blanks as one.
fn printed(chamber: &Chamber<'_>, arguments: &[&str]) -> BTreeMap<String, String> {
    let output = chamber.run_in(".", "postconf", arguments);
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("it is UTF-8");
    let pair = |line: &str| {
        let (name, value) = line.split_once('=').expect("name = value");
        (name.trim().to_owned(), value.trim().to_owned())
    };
    text.lines().map(pair).collect()
}

#[test]
fn a_program_tells_which_build_it_is() {
    for judge in judges::all() {
        let build = build(judge);
        let said = printed(
            &judge.chamber(),
            &["-d", "mail_version", "mail_release_date", "daemon_directory"],
        );
        assert_eq!(build.version, judge.version);
        assert_eq!(build.full_version, said["mail_version"]);
        assert_eq!(
            build.released.as_deref(),
            Some(said["mail_release_date"].as_str()),
            "{build:?}"
        );
        assert_eq!(build.debian, said["daemon_directory"] == "/usr/lib/postfix/sbin", "{build:?}");
    }
}

#[test]
fn names_and_defaults_are_those_that_postconf_prints() {
    for judge in judges::all() {
        let build = build(judge);
        let said = printed(&judge.chamber(), &["-d"]);
        let ours = postfix::parameters().iter().filter(|it| it.exists_in(&build));
        let ours: BTreeMap<_, _> = ours.map(|it| (it.name, it.default_in(&build))).collect();
        let mut differences = Vec::new();
        for (name, said) in &said {
            let ours = ours.get(name.as_str());
            let same = match ours {
                None => false,
                Some(None) => OF_THE_HOST.contains(&name.as_str()),
                Some(Some(default)) => default == said,
            };
            if !same {
                differences.push(format!("{name}: Postfix says \"{said}\", the registry {ours:?}"));
            }
        }
        let more = ours.keys().filter(|it| !said.contains_key(**it));
        differences.extend(more.map(|it| format!("{it}: Postfix does not know it")));
        println!(
            "Postfix {}: {} parameters, {} differences",
            build.full_version,
            said.len(),
            differences.len()
        );
        assert_eq!(differences, [] as [&str; 0], "Postfix {}", build.full_version);
    }
}
