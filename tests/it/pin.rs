//! `postls pin`: what it writes and what it leaves alone, and that with it mail follows a server from one
//! key to the next.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use postls::policy::Date;
use tempfile::TempDir;

use crate::lab::{self, Lab, Outcome};

/// Fingerprints that look like some.
pub(crate) const FIRST: &str = "7B:2F:1C:9A:55:E0:43:D8:16:BE:07:6C:F2:39:8D:A4:C1:5E:70:2B:94:DD:38:E6:0F:A7:53:B9:12:CE:68:41";
pub(crate) const SECOND: &str = "E3:08:96:4D:BA:71:2C:F5:5F:83:1E:C7:60:D9:A2:3B:0D:94:EE:57:28:B1:7C:06:FA:43:9F:D5:6A:18:C2:8B";
const THIRD: &str = "0D:41:F7:22:9E:6B:C8:13:D0:95:3A:74:EF:58:06:BD:81:2C:E9:47:F3:1A:66:BC:05:D7:90:3E:AB:14:C9:72";

pub(crate) fn certificate(directory: &Path, name: &str, days: u32) -> Vec<u8> {
    let days = days.to_string();
    let mut command = Command::new("openssl");
    command.current_dir(directory).args(["req", "-x509", "-newkey", "ed25519", "-nodes"]);
    command.args(["-keyout", "key", "-out", name, "-subj", "/CN=x", "-days", &days]);
    let output = command.output().expect("openssl is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read(directory.join(name)).expect("it was made")
}

fn today() -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock");
    Date::of_unix_day(since.as_secs() / (24 * 60 * 60)).expect("a day").to_string()
}

fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("it can be made");
        fs::write(path, text).expect("it can be written");
    }
    directory
}

/// The program in a directory: exit status, and what it prints.
fn pin(directory: &TempDir, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postls"));
    command.current_dir(directory.path()).args(["pin", "-c", ".", "--postfix", "3.7"]);
    let output = command.args(arguments).env("LC_ALL", "C").output().expect("it is built");
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().expect("it exits"), String::from_utf8(text).expect("it is text"))
}

fn text(directory: &TempDir, name: &str) -> String {
    fs::read_to_string(directory.path().join(name)).expect("it can be read")
}

const TOP: &str = "version: 1\nparameters: {smtp_tls_fingerprint_digest: sha256}\n";

fn bank(pins: &[&str]) -> String {
    let mut text = format!(
        "{TOP}destinations:\n  bank.example: # by telephone\n    level: fingerprint\n    pins:\n"
    );
    for pin in pins {
        for part in ["      - public-key: \"", pin, "\" # x\n"] {
            text += part;
        }
    }
    text
}

#[test]
fn a_pin_is_added_once_and_nothing_else_changes() {
    let before = bank(&[FIRST]);
    let directory = directory(&[("postls.yaml", &before), ("main.cf", "")]);
    let plain = SECOND.replace(':', "").to_lowercase();
    let added = format!(
        "{before}      - public-key: \"{SECOND}\"\n        note: \"a \\\"b\\\"\"\n        added: {}\n",
        today()
    );
    let arguments = ["add", "bank.example", &plain, "--note", "a \"b\""];
    let (status, said) = pin(&directory, &[&arguments[..], &["--check"]].concat());
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("+        note:") && said.contains("only checked"), "{said}");
    assert_eq!(text(&directory, "postls.yaml"), before);
    let (status, said) = pin(&directory, &arguments);
    assert_eq!((status, text(&directory, "postls.yaml")), (0, added.clone()), "{said}");
    assert!(said.ends_with("`postls apply` puts it in force\n"), "{said}");
    assert_eq!(text(&directory, "main.cf"), "", "nothing else is applied");
    for again in [SECOND, &plain, &format!("SHA256 Fingerprint={SECOND}")] {
        let (status, said) = pin(&directory, &["add", "Bank.Example", again]);
        assert_eq!(
            (status, said.as_str()),
            (0, "pin 2 of bank.example is that one already\nnothing to change\n")
        );
    }
    assert_eq!(text(&directory, "postls.yaml"), added);
    let (status, said) =
        pin(&directory, &["add", "bank.example", SECOND, "--retire-others", "2027-01-31"]);
    assert_eq!(status, 0, "{said}");
    let retired = added.replace(
        &format!("{FIRST}\" # x\n"),
        &format!("{FIRST}\" # x\n        retire: 2027-01-31\n"),
    );
    assert_eq!(text(&directory, "postls.yaml"), retired);
    // An earlier day stays.
    let (_, said) =
        pin(&directory, &["add", "bank.example", THIRD, "--retire-others", "2028-01-31", "-q"]);
    assert_eq!(said, "");
    let now = text(&directory, "postls.yaml");
    assert!(
        now.contains("retire: 2027-01-31") && now.matches("retire: 2028-01-31").count() == 1,
        "{now}"
    );
}

#[test]
fn what_would_not_work_is_refused_and_nothing_is_written() {
    let text_of = format!(
        "{}  shared.example: {{use: bank}}\n  other.example: {{use: bank}}\n  plain.example: encrypt\nprofiles:\n  bank: {{level: fingerprint, pins: [{{public-key: \"{SECOND}\"}}]}}\n",
        bank(&[FIRST])
    );
    let directory = directory(&[("postls.yaml", &text_of), ("main.cf", ""), ("junk.pem", "x\n")]);
    for (arguments, want) in [
        (
            &["add", "bank.example", "AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0:B4:88:CD:9B"]
                [..],
            "this is a fingerprint in sha1, and smtp_tls_fingerprint_digest is sha256 (postls.yaml:2)",
        ),
        (&["add", "bank.example", "AD:F3"], "2 bytes are the fingerprint of no digest"),
        (&["add", "bank.example", "xyz"], "pairs of hexadecimal digits"),
        (&["add", "bank.example"], "required arguments"),
        (&["add", "bank.example", SECOND, "--pem", "x"], "cannot be used with"),
        (&["add", "bank.example", SECOND, "--retire-others", "soon"], "\"soon\" is no date"),
        (&["add", "bank.example", "--pem", "missing.pem"], "missing.pem: there is no such file"),
        (
            &["add", "bank.example", "--pem", "junk.pem"],
            "the policy file would have errors; nothing was changed",
        ),
        (
            &["add", "bonk.example", SECOND],
            "no destination bonk.example; did you mean \"bank.example\"?",
        ),
        (&["add", "a b", SECOND], "invalid value"),
        (
            &["add", "plain.example", SECOND],
            "the policy file would have errors; nothing was changed",
        ),
        (
            &["add", "shared.example", THIRD],
            "has its pins from profile \"bank\" (postls.yaml:12), which shared.example, other.example use; with --in-profile",
        ),
        (&["add", "bank.example", THIRD, "--in-profile"], "has pins of its own"),
        (&["add", "plain.example", THIRD, "--in-profile"], "has no pins from a profile"),
        (&["retire", "bank.example", "1"], "no other pin of bank.example stays"),
        (&["retire", "bank.example", "1", "--remove"], "pin 1 is the only one of bank.example"),
        (
            &["retire", "bank.example", "1", "--remove", "--force"],
            "pin 1 is the only one of bank.example",
        ),
        (&["retire", "bank.example", "2"], "bank.example has no pin \"2\""),
        (&["retire", "bank.example", ""], "bank.example has no pin \"\""),
        (&["retire", "bank.example", "1", "--on", "2027-01-31", "--remove"], "cannot be used with"),
        (&["retire", "plain.example", "1"], "plain.example has no pin \"1\""),
        (&["status", "plain.example"], "plain.example: it has no pins"),
        (&["list", "nobody.example"], "nobody.example: the policy file has no such destination"),
    ] {
        let (status, said) = pin(&directory, arguments);
        assert_eq!(status, 2, "{arguments:?}: {said}");
        assert!(said.replace('\n', " ").contains(want), "{arguments:?}: {said}");
        assert_eq!(text(&directory, "postls.yaml"), text_of, "{arguments:?}");
    }
    let (status, said) = pin(&directory, &["add", "shared.example", THIRD, "--in-profile"]);
    assert_eq!(status, 0, "{said}");
    let want =
        format!("{{public-key: \"{SECOND}\"}}, {{public-key: \"{THIRD}\", added: {}}}]", today());
    assert!(text(&directory, "postls.yaml").contains(&want), "{said}");
}

#[test]
fn a_pin_is_named_by_its_number_its_beginning_or_its_file() {
    let pem = format!("{}      - pem: pins/a.pem\n", bank(&[FIRST, SECOND]));
    let directory = directory(&[("postls.yaml", &pem), ("main.cf", ""), ("pins/x", "")]);
    certificate(&directory.path().join("pins"), "a.pem", 100);
    for (name, number) in
        [("1", 1), ("3", 3), ("7b:2f", 1), ("E308964d", 2), (SECOND, 2), ("pins/a.pem", 3)]
    {
        fs::write(directory.path().join("postls.yaml"), &pem).expect("it can be written");
        let (status, said) =
            pin(&directory, &["retire", "bank.example", name, "--on", "2027-01-31"]);
        assert_eq!(status, 0, "{name}: {said}");
        assert!(
            said.starts_with(&format!("pin {number} of bank.example: retire 2027-01-31\n")),
            "{name}: {said}"
        );
        let (_, said) = pin(&directory, &["retire", "bank.example", name, "--on", "2027-01-31"]);
        assert!(said.ends_with("already\nnothing to change\n"), "{name}: {said}");
        let (status, said) = pin(&directory, &["retire", "bank.example", name, "--remove"]);
        assert_eq!(status, 0, "{name}: {said}");
        let lines: Vec<&str> =
            pem.lines().enumerate().filter(|it| it.0 != number + 5).map(|it| it.1).collect();
        assert_eq!(text(&directory, "postls.yaml"), lines.join("\n") + "\n", "{name}");
    }
    // No number and too little of a beginning: nothing is guessed.
    fs::write(directory.path().join("postls.yaml"), &pem).expect("it can be written");
    for name in ["0", "7", "7b", "7b:2", "e30"] {
        let (status, said) = pin(&directory, &["retire", "bank.example", name, "--remove"]);
        assert_eq!(status, 2, "{name}: {said}");
        assert!(said.contains("bank.example has no pin"), "{name}: {said}");
    }
    let twins = bank(&[FIRST, &FIRST.replace(":41", ":42")]);
    fs::write(directory.path().join("postls.yaml"), twins).expect("it can be written");
    let (status, said) = pin(&directory, &["retire", "bank.example", "7B2F"]);
    assert_eq!(status, 2);
    assert!(said.contains("\"7B2F\" is the beginning of pins 1, 2"), "{said}");
}

#[test]
fn the_file_that_has_the_destination_is_the_one_that_changes() {
    let main = format!("{TOP}include: [partners/*.yaml]\ndestinations: {{a.example: may}}\n");
    let bank = bank(&[FIRST]).replace(TOP, "");
    let files = [
        ("main.cf", ""),
        ("postls.yaml", &main),
        ("partners/a.yaml", "profiles: {x: {level: may}}\n"),
        ("partners/real", &bank),
    ];
    let directory = directory(&files);
    // Through a symbolic link the file itself is changed.
    symlink("real", directory.path().join("partners/bank.yaml")).expect("a link can be made");
    certificate(&directory.path().join("partners"), "b.pem", 100);
    certificate(directory.path(), "c.pem", 100);
    let outside = tempfile::tempdir().expect("a temporary directory");
    certificate(outside.path(), "d.pem", 100);
    let far = outside.path().join("d.pem").to_string_lossy().into_owned();
    let (status, said) = pin(&directory, &["add", "bank.example", "--pem", "b.pem"]);
    assert_eq!(status, 0, "{said}");
    // A name that a shell completed.
    let (status, said) =
        pin(&directory, &["add", "bank.example", "--pem", "partners/b.pem", "--of", "certificate"]);
    assert_eq!(status, 0, "{said}");
    let (status, said) = pin(&directory, &["add", "bank.example", "--pem", "../c.pem"]);
    assert_eq!(status, 0, "{said}");
    let (status, said) = pin(&directory, &["add", "bank.example", "--pem", &far]);
    assert_eq!(status, 0, "{said}");
    let day = today();
    let want = format!(
        "{bank}      - pem: b.pem\n        added: {day}\n      - pem: b.pem\n        of: certificate\n        added: {day}\n      - pem: \"../c.pem\"\n        added: {day}\n      - pem: {far}\n        added: {day}\n"
    );
    assert_eq!(text(&directory, "partners/real"), want);
    assert!(directory.path().join("partners/bank.yaml").is_symlink());
    assert_eq!(text(&directory, "postls.yaml"), main);
    // A policy file elsewhere.
    let whole = format!("{TOP}{bank}");
    fs::write(outside.path().join("p.yaml"), &whole).expect("it can be written");
    let policy = outside.path().join("p.yaml").to_string_lossy().into_owned();
    let (status, said) = pin(&directory, &["--policy", &policy, "add", "bank.example", SECOND]);
    assert_eq!(status, 0, "{said}");
    let now = fs::read_to_string(&policy).expect("it can be read");
    assert!(now.starts_with(&whole) && now.contains(SECOND), "{now}");
}

#[test]
fn a_list_that_is_empty_is_mended_and_other_mistakes_are_not_hidden() {
    let empty = format!("{TOP}destinations:\n  bank.example: {{level: fingerprint, pins: []}}\n");
    let directory = directory(&[("postls.yaml", &empty), ("main.cf", "")]);
    assert_eq!(pin(&directory, &["status"]).0, 2);
    let (status, said) = pin(&directory, &["add", "bank.example", FIRST]);
    assert_eq!(status, 0, "{said}");
    // What the reader refuses does not shift the others.
    let bad = bank(&["xy", FIRST, SECOND]);
    fs::write(directory.path().join("postls.yaml"), &bad).expect("it can be written");
    for arguments in [
        &["add", "bank.example", THIRD][..],
        &["add", "bank.example", FIRST, "--retire-others", "2027-01-31"],
        &["retire", "bank.example", "1"],
        &["retire", "bank.example", "1", "--remove"],
    ] {
        assert_eq!(pin(&directory, arguments).0, 2, "{arguments:?}");
        assert_eq!(text(&directory, "postls.yaml"), bad, "{arguments:?}");
    }
    // A file that is gone: to take the entry out mends it.
    let gone = format!("{}      - pem: gone.pem\n", bank(&[FIRST, SECOND]));
    fs::write(directory.path().join("postls.yaml"), &gone).expect("it can be written");
    for arguments in [&["retire", "bank.example", "gone.pem"][..], &["add", "bank.example", THIRD]]
    {
        let (status, said) = pin(&directory, arguments);
        assert_eq!(status, 2, "{arguments:?}: {said}");
        assert_eq!(text(&directory, "postls.yaml"), gone, "{arguments:?}");
    }
    let (status, said) = pin(&directory, &["retire", "bank.example", "gone.pem", "--remove"]);
    assert_eq!(status, 0, "{said}");
    assert_eq!(text(&directory, "postls.yaml"), bank(&[FIRST, SECOND]));
    // What stands behind a mistake in the writing is not said to be missing.
    let alias = format!("{TOP}destinations:\n  a.example: &a may\n  bank.example: *a\n");
    fs::write(directory.path().join("postls.yaml"), alias).expect("it can be written");
    let (status, said) = pin(&directory, &["add", "bank.example", FIRST]);
    assert_eq!(status, 2, "{said}");
    assert!(said.contains("aliases are not read"), "{said}");
}

/// Postfix is told of the digest in force only: what another one says stops nobody.
#[test]
fn a_placeholder_in_another_digest_is_no_error() {
    let zeros = vec!["00"; 20].join(":");
    let both = |first: &str, second: &str| {
        let pin = format!("{{public-key: [\"{first}\", \"{second}\"]}}");
        format!("{TOP}destinations:\n  a.example: {{level: fingerprint, pins: [{pin}]}}\n")
    };
    let directory = directory(&[("postls.yaml", &both(FIRST, &zeros)), ("main.cf", "")]);
    let (status, said) = pin(&directory, &["list"]);
    assert_eq!(status, 0, "{said}");
    let sha256 = vec!["00"; 32].join(":");
    let real = "5D:0A:11:C2:9E:4B:77:60:83:FA:2D:1C:B8:96:E0:54:3F:A7:CC:81";
    fs::write(directory.path().join("postls.yaml"), both(real, &sha256))
        .expect("it can be written");
    let (status, said) = pin(&directory, &["list"]);
    assert_eq!(status, 2, "{said}");
    assert!(said.contains("placeholder"), "{said}");
}

#[test]
fn status_is_for_monitoring() {
    let pins = |retire: &str| {
        format!("{}        retire: {retire}\n", bank(&[SECOND, FIRST]))
            + "  z.example: {level: fingerprint, pins: [{public-key: \""
            + THIRD
            + "\"}]}\n"
    };
    let directory = directory(&[("postls.yaml", &pins("2020-01-31")), ("main.cf", "")]);
    let schema =
        postls::report::schema::SCHEMAS.iter().find(|it| it.name == "pins").expect("it is there");
    let schema: serde_json::Value = serde_json::from_str(&(schema.text)()).expect("it is JSON");
    let schema = jsonschema::validator_for(&schema).expect("it is a schema");
    let json = |arguments: &[&str]| -> serde_json::Value {
        let json = pin(&directory, &[arguments, &["--format", "json"]].concat()).1;
        let json = serde_json::from_str(&json).expect("it is JSON");
        assert!(schema.is_valid(&json), "{json:#}");
        json
    };
    let (status, said) = pin(&directory, &["status", "-q"]);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(status, 1);
    assert!(
        lines[0].starts_with("OVERDUE - bank.example: pin 2 should be gone since 2020-01-31"),
        "{said}"
    );
    assert_eq!(lines[1], "OK - z.example: 1 pin, no backup");
    assert_eq!(pin(&directory, &["status", "z.example", "-q"]).0, 0);
    let seen = json(&["status"]);
    assert_eq!(
        (&seen["overdue"], &seen["due"], &seen["digest"]),
        (&1.into(), &0.into(), &"sha256".into())
    );
    assert_eq!(seen["destinations"][0]["applied"], false);
    assert_eq!(seen["destinations"][0]["pins"][0]["in_force"], false);
    // Applied, it says so.
    fs::write(
        directory.path().join("main.cf"),
        format!(
            "smtp_tls_fingerprint_digest = sha256\nsmtp_tls_policy_maps = texthash:{}/tls_policy\n",
            directory.path().canonicalize().expect("it is there").display()
        ),
    )
    .expect("it can be written");
    fs::write(
        directory.path().join("tls_policy"),
        format!(
            "bank.example fingerprint match={SECOND}|{FIRST}\nz.example fingerprint match={FIRST}\n"
        ),
    )
    .expect("it can be written");
    let seen = json(&["list"]);
    let of = |at: usize, name: &str| seen["destinations"][at][name].clone();
    assert_eq!((of(0, "applied"), of(1, "applied")), (true.into(), false.into()));
    assert_eq!(seen["destinations"][0]["pins"][0]["in_force"], true);
    assert_eq!(seen["destinations"][1]["pins"][0]["in_force"], false);
    // Postfix compares with fingerprints of another digest, whatever the policy file wants.
    let main_cf = text(&directory, "main.cf");
    let other = main_cf.replace("= sha256", "= sha1");
    fs::write(directory.path().join("main.cf"), &other).expect("it can be written");
    let seen = json(&["list"]);
    assert_eq!(seen["destinations"][0]["applied"], false);
    assert_eq!(seen["destinations"][0]["pins"][0]["in_force"], false);
    fs::write(directory.path().join("main.cf"), main_cf).expect("it can be written");
    let far = "2999-12-31";
    fs::write(directory.path().join("postls.yaml"), pins(far)).expect("it can be written");
    assert_eq!(pin(&directory, &["status"]).0, 0);
    assert_eq!(pin(&directory, &["status", "--within", "1000"]).0, 0);
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock");
    let soon = Date::of_unix_day(since.as_secs() / (24 * 60 * 60) + 50).expect("a day");
    fs::write(directory.path().join("postls.yaml"), pins(&soon.to_string()))
        .expect("it can be written");
    assert_eq!(pin(&directory, &["status"]).0, 0);
    assert_eq!(pin(&directory, &["status", "--within", "40"]).0, 0);
    let (status, said) = pin(&directory, &["status", "--within", "60", "-q"]);
    assert_eq!(status, 1);
    assert!(said.starts_with("DUE - bank.example"), "{said}");
}

/// A server that is known by another key than the one pinned: its mail waits. With its key added it
/// goes, and goes on when the other one is taken out.
#[test]
fn mail_follows_a_server_from_one_key_to_the_next() {
    lab::with_each(|postfix| {
        let policy = format!(
            "{TOP}table: {{type: texthash}}\ndestinations:\n  .bank.example:\n    level: fingerprint\n    pins:\n      - public-key: \"{FIRST}\"\n"
        );
        let mut lab =
            Lab::new(postfix, &[("main.cf", b"# ours\n"), ("postls.yaml", policy.as_bytes())]);
        let key = lab::public_key_fingerprint("sha256");
        let add = ["pin", "add", ".bank.example", &key, "--retire-others", "2030-01-31"];
        let steps: [(&str, &[&str], bool); 3] = [
            ("one.bank.example", &[], false),
            ("two.bank.example", &add, true),
            ("three.bank.example", &["pin", "retire", ".bank.example", "1", "--remove"], true),
        ];
        for (domain, change, goes) in steps {
            if !change.is_empty() {
                run(&lab, change);
            }
            // It reads its tables anew.
            lab.stop();
            run(&lab, &["apply", "--reload", "never", "--allow-downgrade", ".bank.example"]);
            lab.start();
            lab.send(&[domain]);
            match lab.outcome(domain) {
                Outcome::Sent { tls } => {
                    assert_eq!((tls.as_deref(), goes), (Some("Verified"), true), "{domain}");
                }
                Outcome::Deferred { reason } => assert!(!goes, "{domain}: {reason}"),
                outcome => panic!("{domain}: {outcome:?}"),
            }
        }
        lab.stop();
    });
}

fn run(lab: &Lab, arguments: &[&str]) {
    let mut command = lab.outside(env!("CARGO_BIN_EXE_postls"));
    let output = command.args(arguments).arg("-c").arg(lab.config_dir()).output().expect("it runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}
