//! Every example is what it says that it is.

use std::fs;
use std::process::Command;

/// Runs lint on an example and gives back its exit status and its findings.
fn lint(arguments: &[&str]) -> (Option<i32>, serde_json::Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_postls"))
        .args(["lint", "--postfix", "3.7", "--format", "json"])
        .args(arguments)
        .output()
        .expect("the program was built");
    let report = serde_json::from_slice(&output.stdout).expect("it is JSON");
    (output.status.code(), report)
}

/// `file:line:column severity rule` of each finding.
fn found(report: &serde_json::Value) -> Vec<String> {
    let findings = report["findings"].as_array().expect("it is a list").iter();
    findings
        .map(|it| {
            let text = |key: &str| it[key].as_str().expect("it is text").to_owned();
            format!(
                "{}:{}:{} {} {}",
                text("file"),
                it["line"],
                it["column"],
                text("severity"),
                text("rule")
            )
        })
        .collect()
}

#[test]
fn the_blog_shows_its_mistakes() {
    let (status, report) = lint(&["-c", "examples/blog"]);
    assert_eq!(status, Some(1));
    assert_eq!(
        found(&report),
        [
            "main.cf:5:1 warning deprecated-parameter",
            "main.cf:6:32 error inline-comment",
            "main.cf:8:33 error inline-comment",
            "main.cf:13:31 error inline-comment",
            "main.cf:15:31 warning weak-fingerprint-digest",
            "tls_policy:3:11 warning placeholder-pin",
            "tls_policy:3:11 warning single-pin",
            "tls_policy:5:11 warning placeholder-pin",
            "tls_policy:5:11 warning single-pin",
            "tls_policy:6:17 error policy-without-trust-anchor",
            "tls_policy:7:17 error policy-without-trust-anchor",
        ]
    );
    assert_eq!(report["schema"], "postls/lint/v1");
    assert_eq!(report["summary"]["error"], 5);
}

#[test]
fn the_blog_has_fingerprints_of_the_wrong_length_for_sha256() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for name in ["main.cf", "tls_policy"] {
        let text = fs::read_to_string(format!("examples/blog/{name}")).expect("it is there");
        fs::write(directory.path().join(name), text.replace("= sha1", "= sha256"))
            .expect("it can be written");
    }
    let (_, report) = lint(&["-c", &directory.path().to_string_lossy()]);
    let found = found(&report);
    let wrong: Vec<&String> = found.iter().filter(|it| it.contains("tls_policy")).collect();
    assert_eq!(
        wrong,
        [
            "tls_policy:3:11 error fingerprint-length-mismatch",
            "tls_policy:5:11 error fingerprint-length-mismatch",
            "tls_policy:6:17 error policy-without-trust-anchor",
            "tls_policy:7:17 error policy-without-trust-anchor",
        ]
    );
}

#[test]
fn the_mailhost_is_clean() {
    let (status, report) = lint(&["-c", "examples/mailhost"]);
    assert_eq!((status, found(&report)), (Some(0), Vec::new()));
}

/// What is taken over from it is shown in a transcript.
#[test]
fn the_live_host_is_clean() {
    let (status, report) = lint(&["-c", "examples/live"]);
    assert_eq!((status, found(&report)), (Some(0), Vec::new()));
}

#[test]
fn every_example_is_tested_here() {
    let mut names: Vec<String> = fs::read_dir("examples")
        .expect("there are examples")
        .map(|it| it.expect("it can be listed").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let tested = [
        "ansible",
        "blog",
        "github",
        "gitlab",
        "live",
        "mailhost",
        "pre-commit",
        "puppet",
        "run",
        "salt",
        "systemd",
    ];
    assert_eq!(names, tested);
}

/// The commands in what we show for other programs are ones that postls takes.
#[test]
fn commands_in_examples_are_understood() {
    let mut commands = 0;
    for path in [
        "examples/ansible/playbook.yml",
        "examples/github/postls.yml",
        "examples/gitlab/gitlab-ci.yml",
        "examples/systemd/lint.conf",
    ] {
        let text = fs::read_to_string(path).expect("it is there");
        let lines = text.lines().filter(|it| !it.trim_start().starts_with('#'));
        for line in lines.filter_map(|it| it.split_once("postls lint ")).map(|it| it.1) {
            commands += 1;
            let main_cf = "examples/mailhost/main.cf";
            let line = line.replace("{{ postfix_directory }}", "examples/mailhost");
            let line = line.replace("%s", main_cf);
            // Only what is printed for a file has a place to go; the examples are the repository.
            let line = line.split('>').next().unwrap_or_default();
            let line = line.replace("--recursive", "--recursive examples/mailhost");
            let mut command = Command::new(env!("CARGO_BIN_EXE_postls"));
            command
                .arg("lint")
                .args(line.split_whitespace())
                .env("MAIL_CONFIG", "examples/mailhost");
            let output = command.output().expect("the program was built");
            let complaint = String::from_utf8_lossy(&output.stderr);
            assert_eq!((output.status.code(), &*complaint), (Some(0), ""), "{path}: {line}");
        }
    }
    assert_eq!(commands, 5);
}

/// What Debian's units and our drop-in come to together, as systemd reads them.
#[test]
fn systemd_takes_the_drop_in() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        println!("skipped: this machine has no systemd");
        return;
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    let unit = directory.path().join("postfix.service");
    let service =
        "[Service]\nType=forking\nExecStart=/bin/true start\nExecReload=/bin/true reload\n";
    fs::write(&unit, service).expect("it can be written");
    let drop_ins = directory.path().join("postfix.service.d");
    fs::create_dir(&drop_ins).expect("it can be made");
    let text = fs::read_to_string("examples/systemd/lint.conf").expect("it is there");
    let program = env!("CARGO_BIN_EXE_postls");
    let text = text.replace("/usr/bin/postls", program).replace("/usr/sbin/postfix", "/bin/true");
    fs::write(drop_ins.join("lint.conf"), text).expect("it can be written");
    let output = Command::new("systemd-analyze").arg("verify").arg("--man=no").arg(&unit).output();
    let output = output.expect("it starts");
    let complaint = String::from_utf8_lossy(&output.stderr);
    let ours = complaint.lines().filter(|it| it.contains("lint.conf") || it.contains("postfix"));
    assert_eq!(ours.collect::<Vec<_>>(), [""; 0]);
}

/// The README's command, with what cargo has built already; tests/run runs it as it is.
#[test]
fn the_main_job_runs_as_the_readme_says() {
    let output = Command::new("sh")
        .arg("examples/run")
        .env("POSTLS", env!("CARGO_BIN_EXE_postls"))
        .output()
        .expect("sh runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    for part in ["0 errors", "applied\n", "nothing to change", "bank.example fingerprint"] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
}
