//! The judges of `postls import`: real tables and configurations, and a real Postfix before and
//! after.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use super::rows;
use crate::corpus;
use crate::judges::{self, Chamber};

/// The program on a directory, without a Postfix in reach.
fn alone(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postls"));
    command.env("PATH", "").env_remove("MAIL_CONFIG").env("LC_ALL", "C.UTF-8");
    command.args(arguments).arg("-c").arg(directory).output().expect("it is built")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The errors that lint finds: rule, file and message.
fn errors(directory: &Path) -> BTreeSet<(String, String, String)> {
    let output = alone(directory, &["lint", "--format", "json", "--postfix", "3.10"]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let findings = report["findings"].as_array().expect("a list").iter();
    let errors = findings.filter(|it| it["severity"] == "error");
    let word = |it: &Value, name: &str| it[name].as_str().expect("a text").to_owned();
    errors.map(|it| (word(it, "rule"), word(it, "file"), word(it, "message"))).collect()
}

/// Why a diff is not empty, in words that can be counted.
fn reasons(said: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (part, reason) in [
        ("rows that are left out would be lost", "rows are left out, each with its mistake"),
        ("a daemon refuses all of", "a texthash table has a key twice"),
        ("has no index", "the copy has no index"),
        ("what it would be is not known", "there is no postmap to ask"),
    ] {
        if said.contains(part) {
            found.insert(reason.to_owned());
        }
    }
    found
}

/// Every real configuration: the file is read without an error of its own, and diff is empty or it
/// was said why not.
#[test]
fn real_configurations_are_taken_over_or_it_is_said_why_not() {
    let hosts = corpus::hosts();
    let all = corpus::written(&hosts);
    let (mut empty, mut tables, mut rows_in, mut rows_out) = (0, 0, 0, 0);
    let mut stated: BTreeMap<String, usize> = BTreeMap::new();
    for host in &hosts {
        let directory = all.path().join(&host.name);
        let yaml = directory.join("postls.yaml");
        let before = errors(&directory);
        let output = alone(
            &directory,
            &["import", "--postfix", "3.10", "-o", yaml.to_str().expect("plain")],
        );
        let said = text(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{}: {said}", host.name);
        let new: Vec<_> = errors(&directory).difference(&before).cloned().collect();
        assert!(new.is_empty(), "{}: {new:?}", host.name);
        let written = fs::read_to_string(&yaml).expect("it was written");
        tables += usize::from(written.contains("\ntable:\n"));
        rows_in += super::read(&written).destinations.len();
        rows_out += said.lines().filter(|it| it.contains("\" is left out: ")).count();
        let diff = alone(&directory, &["diff", "--postfix", "3.10"]);
        match (output.status.code(), diff.status.code()) {
            (Some(0), Some(0)) => empty += 1,
            (Some(1), Some(1)) => {
                let why = reasons(&said);
                assert!(!why.is_empty(), "{}: no reason: {said}", host.name);
                for why in why {
                    *stated.entry(why).or_default() += 1;
                }
            }
            both => panic!("{}: {both:?}: {said}{}", host.name, text(&diff.stderr)),
        }
    }
    println!(
        "real configurations: {} imported, {tables} with a table, {rows_in} destinations; diff is empty for {empty}; the others: {stated:?}; {rows_out} rows and parameters left out",
        hosts.len()
    );
}

/// The program with the Postfix of the chamber.
fn postls(chamber: &Chamber<'_>, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postls"));
    command.env("LC_ALL", "C.UTF-8").arg("-c").arg(chamber.path()).args(arguments);
    command.output().expect("it is built")
}

/// What Postfix itself says of a configuration: each value, each row, and the answer to each key.
fn asked(chamber: &Chamber<'_>, kind: &str, keys: &[Vec<u8>]) -> BTreeMap<String, String> {
    let mut answers = BTreeMap::new();
    let table = format!("{kind}:{}", chamber.path().join("tls_policy").display());
    let mut ask = |program: &str, arguments: &[&str]| {
        let output = chamber.run_in(".", program, arguments);
        // A table in memory lists its rows in no order.
        let mut lines: Vec<String> = text(&output.stdout).lines().map(str::to_owned).collect();
        lines.sort();
        answers.insert(format!("{program} {arguments:?}"), lines.join("\n") + "\n");
    };
    ask("postconf", &["-n"]);
    ask("postmap", &["-s", &table]);
    for key in keys {
        if let Ok(key) = str::from_utf8(key) {
            ask("postmap", &["-q", key, &table]);
        }
    }
    answers
}

/// To a real Postfix nothing is another before and after, and all that was not changed after a change.
#[test]
fn postfix_sees_no_difference_before_and_after() {
    let Some(judge) = judges::installed() else { return };
    let table: &[u8] = b"# caf\xe9\nA.example  ENCRYPT\n\n# owner: me\n[mx.example]:25 secure match=mx.example,\n\
        \tmatch=.y:nexthop ciphers=HIGH\n.example may,protocols=!SSLv2:!SSLv3\na.example may\nlone\n\
        pin.example fingerprint match=AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0\n";
    for kind in ["hash", "btree", "texthash", "cdb"] {
        if !judge.table_types.contains(kind) {
            println!("skipped: this Postfix has no {kind}");
            continue;
        }
        let table = if kind == "texthash" {
            // A daemon refuses all of such a table for a key that stands there twice.
            text(table).replace("a.example may\n", "").into_bytes()
        } else {
            table.to_vec()
        };
        let chamber = judge.chamber();
        let main_cf = format!(
            "# the level of all others\nsmtp_tls_security_level=may\nsmtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt\n\
             smtp_tls_fingerprint_digest = md5\nsmtp_tls_policy_maps = regexp:/etc/x,\n  # ours\n  {kind}:$config_directory/tls_policy\n\
             compatibility_level = 3.6\nmynetworks = 127.0.0.0/8\n"
        );
        chamber.write("main.cf", main_cf.as_bytes());
        chamber.write("tls_policy", &table);
        if kind != "texthash" {
            chamber.run_in(".", "postmap", &[&format!("{kind}:tls_policy")]);
        }
        let keys: Vec<Vec<u8>> = rows(&table).into_keys().collect();
        let before = asked(&chamber, kind, &keys);
        // Older ones cannot list the rows of cdb.
        assert!(
            before.len() > 5 && before.values().filter(|it| it.len() < 2).count() < 2,
            "{before:?}"
        );
        let yaml = chamber.path().join("postls.yaml");
        let imported = postls(&chamber, &["import", "-o", yaml.to_str().expect("plain")]);
        assert_eq!(imported.status.code(), Some(0), "{}", text(&imported.stderr));
        let diff = postls(&chamber, &["diff"]);
        assert_eq!((diff.status.code(), text(&diff.stderr).as_str()), (Some(0), ""), "{kind}");
        let applied = postls(&chamber, &["apply", "--reload", "never", "--detailed-exitcode"]);
        assert_eq!(applied.status.code(), Some(0), "{}", text(&applied.stderr));
        let read = |name: &str| fs::read(chamber.path().join(name)).expect("it is there");
        assert_eq!((read("tls_policy"), text(&read("main.cf"))), (table, main_cf));
        assert_eq!(asked(&chamber, kind, &keys), before, "{kind}");
        // Now it is the policy file that counts.
        let changed = fs::read_to_string(&yaml).expect("it is there");
        let changed = changed.replace("  a.example: encrypt\n", "  a.example: {level: dane}\n");
        fs::write(
            &yaml,
            changed.replace(
                "smtp_tls_security_level",
                "smtp_dns_support_level: dnssec\n  smtp_tls_security_level",
            ),
        )
        .expect("it is ours");
        let arguments = ["apply", "--detailed-exitcode", "--allow-downgrade", "a.example"];
        let applied = postls(&chamber, &arguments);
        assert_eq!(applied.status.code(), Some(10), "{}", text(&applied.stderr));
        for (question, answer) in asked(&chamber, kind, &keys) {
            let was = &before[&question];
            match question.as_str() {
                it if it.contains("a.example") => assert_eq!(answer, "dane\n"),
                it if it.contains("\"-q\"") => assert!(
                    postls::policy::same(answer.trim().as_bytes(), was.trim().as_bytes()),
                    "{kind} {it}: {answer} {was}"
                ),
                it if it.starts_with("postconf") => {
                    assert_eq!(answer.replace("smtp_dns_support_level = dnssec\n", ""), *was);
                }
                _ => assert_eq!(answer.lines().count(), was.lines().count(), "{kind}"),
            }
        }
    }
}
