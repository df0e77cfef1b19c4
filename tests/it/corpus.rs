//! Real configuration files, where they are at hand: what lint says of them is counted, and each error is one for Postfix.
//!
//! They stand in `../shared/corpus`, beside the project, or where `POSTLS_CORPUS` says, and are not ours to
//! publish. `main/` has main.cf files, `master/` master.cf files, `pairs/` directories, `policy/` TLS policy
//! tables, `tables/` other lookup tables. `tests/corpus/counts.tsv` says how often each rule finds something
//! in which of them: a change of behaviour is a line in a difference. It is of one corpus; another one is judged, not counted.

mod confirmation;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::generated;

/// The oldest and the newest that lint knows.
const VERSIONS: [&str; 2] = ["3.5", "3.12"];

/// What stands around a file that has no main.cf.
const USUAL: &str = "mynetworks = 127.0.0.0/8\nsmtpd_tls_cert_file = /etc/postfix/certificate.pem\n\
    smtpd_tls_key_file = /etc/postfix/key.pem\nsmtp_tls_security_level = may\nsmtp_tls_CAfile = /etc/postfix/ca.pem\n";

/// What names a table that stands alone, by what its own name contains.
const TABLES: &[(&str, &str)] = &[
    (
        "tls_policy",
        "smtp_dns_support_level = dnssec\nsmtp_tls_policy_maps = texthash:/etc/postfix/",
    ),
    ("transport", "transport_maps = texthash:/etc/postfix/"),
    ("relay_clientcerts", "relay_clientcerts = texthash:/etc/postfix/"),
    ("sni", "tls_server_sni_maps = texthash:/etc/postfix/"),
    ("sender_relay", "sender_dependent_relayhost_maps = texthash:/etc/postfix/"),
    ("access_sender", "smtpd_sender_restrictions = check_sender_access texthash:/etc/postfix/"),
    ("access", "smtpd_recipient_restrictions = check_ccert_access texthash:/etc/postfix/"),
];

/// A folder of the corpus; empty where there is none.
pub(crate) fn folder(name: &str) -> PathBuf {
    directory().join(name)
}

fn given() -> Option<PathBuf> {
    std::env::var_os("POSTLS_CORPUS").map(PathBuf::from)
}

fn directory() -> PathBuf {
    given().unwrap_or_else(|| Path::new("../shared/corpus").to_owned())
}

/// A configuration directory: a name, and its files.
pub(crate) struct Host {
    pub(crate) name: String,
    files: BTreeMap<String, Vec<u8>>,
}

/// All of the corpus as configuration directories; with a line that says why, none where there is no corpus.
pub(crate) fn hosts() -> Vec<Host> {
    let mut hosts = Vec::new();
    let mut add = |folder: &str, path: &Path, files: &[(&str, Vec<u8>)]| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let files = files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.clone()));
        hosts.push(Host { name: format!("{folder}-{name}"), files: files.collect() });
    };
    let read = |path: &Path| fs::read(path).expect("it can be read");
    for path in listed(&folder("main")) {
        add("main", &path, &[("main.cf", read(&path))]);
    }
    for path in listed(&folder("master")) {
        add("master", &path, &[("main.cf", USUAL.into()), ("master.cf", read(&path))]);
    }
    let index = fs::read_to_string(directory().join("index.tsv")).unwrap_or_default();
    for (kind, path) in ["policy", "tables"]
        .iter()
        .flat_map(|kind| listed(&folder(kind)).into_iter().map(move |it| (*kind, it)))
    {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let line = index.lines().find(|it| it.starts_with(&format!("{kind}/{file}\t")));
        let named =
            line.and_then(|it| it.split('\t').nth(2)?.rsplit('/').next()).unwrap_or_default();
        let named = if kind == "policy" { "tls_policy" } else { named };
        let Some((_, names_it)) = TABLES.iter().find(|(part, _)| named.contains(part)) else {
            continue;
        };
        let main_cf = format!("{USUAL}{names_it}{named}\n");
        add(kind, &path, &[("main.cf", main_cf.into()), (named, read(&path))]);
    }
    for path in listed(&folder("pairs")) {
        let files = listed(&path).into_iter().filter(|it| it.is_file());
        let files = files.map(|it| {
            (it.file_name().unwrap_or_default().to_string_lossy().into_owned(), read(&it))
        });
        let mut files: BTreeMap<String, Vec<u8>> = files.collect();
        files.entry("main.cf".to_owned()).or_insert_with(|| USUAL.into());
        let files: Vec<(&str, Vec<u8>)> =
            files.iter().map(|(name, it)| (name.as_str(), it.clone())).collect();
        add("pairs", &path, &files);
    }
    if hosts.is_empty() {
        let directory = directory();
        assert!(
            given().is_none(),
            "POSTLS_CORPUS is {}, and there is nothing in it",
            directory.display()
        );
        println!("skipped: there is no {}", directory.display());
    }
    hosts
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|it| it.path()).collect();
    paths.sort();
    paths
}

/// A finding, as the program says it in JSON.
struct Found {
    rule: String,
    severity: String,
    message: String,
    /// Which of the hosts.
    host: usize,
    file: String,
    line: usize,
    /// The bytes that are marked, in the line where the mark begins.
    marked: String,
}

/// What the program says of all of them, in one run.
fn lint(hosts: &[Host], version: &str) -> Vec<Found> {
    let directory = written(hosts);
    let mut command = Command::new(env!("CARGO_BIN_EXE_postls"));
    command.current_dir(directory.path()).env("PATH", "").env_remove("MAIL_CONFIG");
    command.args(["lint", "--format", "json", "--postfix", version]);
    let output =
        command.args(hosts.iter().map(|it| &it.name)).output().expect("the program was built");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code().is_some_and(|it| it < 2), "{version}: {:?} {said}", output.status);
    let report: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let findings = report["findings"].as_array().expect("a list").iter();
    findings.map(|it| found(hosts, it)).collect()
}

/// The directories as they are linted.
pub(crate) fn written(hosts: &[Host]) -> TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for (host, (file, bytes)) in
        hosts.iter().flat_map(|it| it.files.iter().map(move |file| (it, file)))
    {
        let path = directory.path().join(&host.name).join(file);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("it is writable");
        fs::write(path, bytes).expect("it is writable");
    }
    directory
}

fn found(hosts: &[Host], finding: &Value) -> Found {
    let text = |name: &str| finding[name].as_str().expect("a text").to_owned();
    let number = |name: &str| {
        usize::try_from(finding[name].as_u64().expect("a number")).expect("a small one")
    };
    let (path, line) = (text("file"), number("line"));
    let (name, file) = path.split_once('/').expect("a file in a directory");
    let host = hosts.iter().position(|it| it.name == name).expect("one of ours");
    let bytes = hosts[host].files.get(file).map(Vec::as_slice).unwrap_or_default();
    let of_line = bytes.split(|it| *it == b'\n').nth(line - 1).unwrap_or_default();
    let end = if number("end_line") == line { number("end_column") - 1 } else { of_line.len() };
    let marked = of_line.get(number("column") - 1..end.min(of_line.len())).unwrap_or_default();
    Found {
        rule: text("rule"),
        severity: text("severity"),
        message: text("message"),
        host,
        file: file.to_owned(),
        line,
        marked: String::from_utf8_lossy(marked).into_owned(),
    }
}

/// What one rule finds: how often, and in which configurations.
#[derive(Clone, Default)]
struct Count {
    findings: usize,
    hosts: BTreeSet<usize>,
}

/// One line for each rule and severity: findings and configurations, for each version.
#[test]
fn the_count_of_findings_is_what_it_was() {
    let hosts = hosts();
    let bytes: usize = hosts.iter().flat_map(|it| it.files.values()).map(Vec::len).sum();
    let mut counts: BTreeMap<(String, String), BTreeMap<&str, Count>> = BTreeMap::new();
    for version in VERSIONS {
        for it in if hosts.is_empty() { Vec::new() } else { lint(&hosts, version) } {
            let of_rule =
                counts.entry((it.rule, it.severity)).or_default().entry(version).or_default();
            of_rule.findings += 1;
            of_rule.hosts.insert(it.host);
        }
    }
    let mut table = format!(
        "# {} configurations of {bytes} bytes; written by BLESS=1 cargo test\nrule\tseverity",
        hosts.len()
    );
    for version in VERSIONS {
        write!(table, "\tfindings {version}\tin {version}").expect("a String takes all");
    }
    table.push('\n');
    for ((rule, severity), versions) in &counts {
        write!(table, "{rule}\t{severity}").expect("a String takes all");
        for version in VERSIONS {
            let Count { findings, hosts } = versions.get(version).cloned().unwrap_or_default();
            write!(table, "\t{findings}\t{}", hosts.len()).expect("a String takes all");
        }
        table.push('\n');
    }
    let path = Path::new("tests/corpus/counts.tsv");
    let have = fs::read_to_string(path).unwrap_or_default();
    if !have.is_empty() && have.lines().next() != table.lines().next() {
        println!("not compared, since this is another corpus:\n{table}");
    } else if !hosts.is_empty() {
        generated::is_current(path, &table);
    }
}

/// Whatever is asked for, the program ends as it promises.
#[test]
fn every_format_takes_every_real_file() {
    let hosts = hosts();
    let directory = written(&hosts);
    for format in ["human", "short", "json"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postls"));
        command.current_dir(directory.path()).args(["lint", "--format", format]);
        let output =
            command.args(hosts.iter().map(|it| &it.name)).output().expect("the program was built");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            hosts.is_empty() || output.status.code() == Some(1),
            "{format}: {:?} {said}",
            output.status
        );
    }
}
