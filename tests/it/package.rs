//! What the Debian package is made of. `tests/package` builds it, and installs it.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::repository::{Said, said};

/// `package.metadata.deb` of Cargo.toml, as cargo-deb reads it.
fn metadata() -> Option<Value> {
    if !Path::new(env!("CARGO")).exists() {
        println!("skipped: the tests run where no cargo is");
        return None;
    }
    let mut command = Command::new(env!("CARGO"));
    command.args(["metadata", "--format-version", "1", "--no-deps", "--offline"]);
    let (status, text, complaint) = said(&command.output().expect("cargo runs the tests"));
    assert_eq!(status, Some(0), "{complaint}");
    let all: Value = serde_json::from_str(&text).expect("it is JSON");
    Some(all["packages"][0]["metadata"]["deb"].clone())
}

/// Whoever adds a manual page or completions finds here that the package needs them too.
#[test]
fn every_page_and_every_completion_is_in_the_package() {
    let Some(metadata) = metadata() else { return };
    let assets = metadata["assets"].as_array().expect("it is a list");
    let sources: Vec<&str> = assets.iter().filter_map(|it| it[0].as_str()).collect();
    for directory in ["docs/man", "completions"] {
        for entry in fs::read_dir(directory).expect("it is there") {
            let path = entry.expect("it can be listed").path();
            let path = path.to_str().expect("it is a plain name");
            assert!(sources.contains(&path), "{path} is no asset");
        }
    }
    for source in sources.iter().filter(|it| !it.starts_with("target/") && !it.contains('*')) {
        assert!(Path::new(source).is_file(), "{source} is not there");
    }
}

/// Man looks for a page in the directory of its section.
#[test]
fn pages_are_in_the_directory_of_their_section() {
    let Some(metadata) = metadata() else { return };
    let mut pages = 0;
    for asset in metadata["assets"].as_array().expect("it is a list") {
        let (source, place) = (asset[0].as_str().expect("text"), asset[1].as_str().expect("text"));
        let Some(page) = source.strip_prefix("docs/man/") else { continue };
        let section = page.rsplit('.').next().expect("it has a section");
        assert_eq!(place, format!("usr/share/man/man{section}/"));
        pages += 1;
    }
    assert!(pages >= 2);
}

/// Nothing that looks by itself begins to do so without being asked.
#[test]
fn the_timer_is_off_until_somebody_turns_it_on() {
    let Some(metadata) = metadata() else { return };
    let units = &metadata["systemd-units"];
    assert_eq!((&units["enable"], &units["start"]), (&Value::Bool(false), &Value::Bool(false)));
}

/// The newest entry is for the version that is built; dpkg takes the version of the first line.
#[test]
fn the_changelog_is_that_of_this_version() {
    let text = fs::read_to_string("packaging/changelog").expect("it is there");
    let begin = format!("postls ({}-1) ", env!("CARGO_PKG_VERSION"));
    assert!(text.starts_with(&begin), "it does not begin with {begin}");
}

/// The command of the service, as systemd gives it to sh, on a configuration directory.
fn service(directory: &Path) -> Said {
    let unit = fs::read_to_string("packaging/postls.service").expect("it is there");
    let unit = unit.replace("\\\n", "");
    let command = unit.lines().find_map(|it| it.strip_prefix("ExecStart=/bin/sh -c '"));
    let command = command.and_then(|it| it.strip_suffix('\'')).expect("it is a script of sh");
    let command = command.replace("$$", "$").replace("/usr/bin/postls", "\"$POSTLS\"");
    let mut sh = Command::new("sh");
    sh.args(["-c", &command])
        .env("POSTLS", env!("CARGO_BIN_EXE_postls"))
        .env("MAIL_CONFIG", directory)
        .env("NO_COLOR", "1");
    said(&sh.output().expect("sh runs"))
}

const PINNED: &str = "\
version: 1
postfix: \"3.7\"
parameters: {smtp_tls_security_level: may, smtp_tls_fingerprint_digest: sha256}
table: {type: texthash}
destinations:
  bank.example:
    level: fingerprint
    pins:
      - public-key: \"7B:2F:1C:9A:55:E0:43:D8:16:BE:07:6C:F2:39:8D:A4:C1:5E:70:2B:94:DD:38:E6:0F:A7:53:B9:12:CE:68:41\"
      - public-key: \"E3:08:96:4D:BA:71:2C:F5:5F:83:1E:C7:60:D9:A2:3B:0D:94:EE:57:28:B1:7C:06:FA:43:9F:D5:6A:18:C2:8B\"
        retire: 2999-01-31
";

/// A directory with these files, empty ones left out.
fn directory(main_cf: &str, policy: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for (name, text) in [("main.cf", main_cf), ("postls.yaml", policy)] {
        if !text.is_empty() {
            fs::write(directory.path().join(name), text).expect("it can be written");
        }
    }
    directory
}

const FINE: &str = "compatibility_level = 3.6\nsmtp_tls_security_level = may\nsmtp_tls_fingerprint_digest = sha256\n";
const WRONG: &str = "compatibility_level = 3.6\nsmtp_tls_security_level = may # or more\n";

#[test]
fn the_service_succeeds_where_nothing_is_wrong() {
    let (status, words, complaint) = service(directory(FINE, "").path());
    assert_eq!((status, &*words, &*complaint), (Some(0), "", ""), "without a policy file");
    let (status, words, complaint) = service(directory(FINE, PINNED).path());
    assert_eq!((status, &*complaint), (Some(0), ""), "{words}");
    assert!(words.contains("OK - bank.example"), "pins are looked at: {words}");
}

/// The last one to fail must not hide what the first one found, nor the other way about.
#[test]
fn the_service_fails_if_either_has_something_to_say() {
    let (status, words, _) = service(directory(WRONG, PINNED).path());
    assert_eq!(status, Some(1), "lint: {words}");
    assert!(words.contains("[inline-comment]") && words.contains("OK - bank.example"), "{words}");

    let overdue = PINNED.replace("2999-01-31", "2001-01-31");
    let (status, words, _) = service(directory(FINE, &overdue).path());
    assert_eq!(status, Some(1), "pins: {words}");
    assert!(words.contains("OVERDUE - bank.example"), "{words}");

    let (status, ..) = service(directory("", "").path());
    assert_eq!(status, Some(2), "there is nothing to look at");
}

/// The units, with a program that is there.
#[test]
fn systemd_takes_the_units() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        println!("skipped: this machine has no systemd");
        return;
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut units = Vec::new();
    for name in ["postls.service", "postls.timer"] {
        let text = fs::read_to_string(format!("packaging/{name}")).expect("it is there");
        let text = text.replace("/usr/bin/postls", env!("CARGO_BIN_EXE_postls"));
        let unit = directory.path().join(name);
        fs::write(&unit, text).expect("it can be written");
        units.push(unit);
    }
    let mut verify = Command::new("systemd-analyze");
    let (_, _, complaint) =
        said(&verify.args(["verify", "--man=no"]).args(&units).output().expect("it starts"));
    let ours: Vec<&str> = complaint.lines().filter(|it| it.contains("postls")).collect();
    assert_eq!(ours, [""; 0]);

    // What systemd calls 3.0 of 10 and "OK": it reads what root reads, and that is all.
    let mut judge = Command::new("systemd-analyze");
    judge.args(["security", "--offline=true", "--no-pager", "--threshold=30"]).arg(&units[0]);
    let (status, words, complaint) = said(&judge.output().expect("it starts"));
    if complaint.contains("unrecognized option") {
        println!("skipped: this systemd judges no files");
        return;
    }
    assert_eq!(status, Some(0), "{words}{complaint}");
}
