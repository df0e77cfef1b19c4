//! An apply with nothing to do is over at once where all is as it was, and only there.
//!
//! With the installed Postfix alone. Whether the long way was gone is seen by `--verbose`, which names
//! the files that are read to be understood.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use data_encoding::HEXLOWER;
use postls::apply::settled::{self, Witness};
use postls::host::{Host, System};
use postls::plan::Plan;
use sha2::{Digest as _, Sha256};

use crate::generator::rounds;
use crate::judges;

const PIN: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEfqBZGTFbNsBJZlv6ja+nfoPv+bSt
GSGOKw2DPcACXXcxxHK1MfsGjHFbdfZOljjd2LnyePBI7bsUFhkaZT1EZg==
-----END PUBLIC KEY-----
";

/// Everything that a plan can depend on.
const FILES: &[(&str, &str)] = &[
    (
        "main.cf",
        "smtp_tls_security_level = may\nsmtp_dns_support_level = dnssec\n\
        smtp_tls_policy_maps = texthash:$config_directory/tls_policy\n\
        transport_maps = texthash:$config_directory/transport\nsmtp_tls_fingerprint_digest = sha256\n",
    ),
    ("master.cf", "smtp unix - - n - - smtp\n"),
    ("transport", "a.example smtp:[mx.a.example]\n"),
    ("partner.pem", PIN),
    (
        "postls.yaml",
        "version: 1\npostfix: \"3.7\"\ntable: {type: texthash}\ninclude: [\"partners/*.yaml\"]\n\
        destinations:\n  a.example: encrypt\n  b.example: {level: fingerprint, pins: [{pem: partner.pem}]}\n",
    ),
    ("partners/one.yaml", "destinations: {c.example: encrypt}\n"),
];

fn write(path: &Path, text: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    // Postfix's programs wait until main.cf is two seconds old.
    let aged = SystemTime::now() - Duration::from_secs(10);
    fs::File::options().write(true).open(path).unwrap().set_modified(aged).unwrap();
}

fn state(directory: &Path) {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory.join(".postls")).unwrap();
}

fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        write(&directory.path().join(name), text.as_bytes());
    }
    state(directory.path());
    directory
}

fn apply(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postls"));
    command.args(["apply", "--verbose", "-c"]).arg(directory).args(arguments).output().unwrap()
}

/// Whether this apply knew at once that there is nothing to do.
fn is_short(directory: &Path, arguments: &[&str]) -> bool {
    let output = apply(directory, arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    let is_long = said.contains("postls: read ");
    let is_short = said.contains("postls: everything is as it was");
    assert_ne!(is_long, is_short, "{output:?}");
    if is_short {
        assert!(output.status.success(), "{output:?}");
        assert!(output.stdout.starts_with(b"nothing to change"), "{output:?}");
    }
    is_short
}

#[test]
fn an_apply_with_nothing_to_do_reads_no_policy_file_and_any_change_makes_it() {
    let directory = directory(FILES);
    let path = directory.path();
    assert!(!is_short(path, &[]), "nobody was here before");
    assert!(is_short(path, &[]), "the one before left everything as it is wanted");
    assert!(is_short(path, &["--check"]));
    let names = ["tls_policy"].into_iter().chain(FILES.iter().map(|it| it.0));
    for name in names {
        let file = path.join(name);
        let text = fs::read(&file).unwrap();
        for other in [[text.as_slice(), b"# more\n"].concat(), text[1..].to_vec(), Vec::new()] {
            write(&file, &other);
            assert!(!is_short(path, &["--check"]), "another {name}");
        }
        fs::remove_file(&file).unwrap();
        assert!(!is_short(path, &["--check"]), "no {name}");
        write(&file, &text);
        assert!(is_short(path, &["--check"]), "{name} is as it was");
    }
    for name in ["partners/two.yaml", ".postls/journal.json"] {
        write(&path.join(name), b"destinations: {d.example: may}\n");
        assert!(!is_short(path, &["--check"]), "{name}");
        fs::remove_file(path.join(name)).unwrap();
        assert!(is_short(path, &["--check"]));
    }
    assert!(!is_short(path, &["--check", "--postfix", "3.5"]));
    let policy = path.join("postls.yaml");
    assert!(!is_short(path, &["--check", policy.to_str().unwrap()]));
    let copy = tempfile::tempdir().unwrap();
    let copied = Command::new("cp").arg("-a").arg(path).arg(copy.path().join("etc")).status();
    assert!(copied.unwrap().success());
    assert!(!is_short(&copy.path().join("etc"), &["--check"]), "it is another directory");
}

#[test]
fn an_index_that_is_another_makes_it_too() {
    let Some(postfix) = judges::installed() else { return };
    let Some(kind) =
        ["lmdb", "hash", "cdb"].into_iter().find(|it| postfix.table_types.contains(*it))
    else {
        return;
    };
    let text = |it: &str| it.replace("texthash", kind);
    let files: Vec<(&str, String)> = FILES.iter().map(|it| (it.0, text(it.1))).collect();
    let mut files: Vec<(&str, &str)> = files.iter().map(|it| (it.0, it.1.as_str())).collect();
    files.retain(|it| it.0 != "transport");
    let directory = directory(&files);
    let path = directory.path();
    assert!(!is_short(path, &[]), "nobody was here before");
    assert!(is_short(path, &[]), "it was built by the one before");
    let suffix = if kind == "hash" { "db" } else { kind };
    let index = path.join(format!("tls_policy.{suffix}"));
    let bytes = fs::read(&index).unwrap();
    let mut other = bytes.clone();
    let at = other.windows(9).position(|it| it == b"a.example").expect("it has the key");
    other[at] = b'z';
    fs::write(&index, &other).unwrap();
    assert!(!is_short(path, &["--check"]), "it says something else");
    fs::remove_file(&index).unwrap();
    assert!(!is_short(path, &["--check"]), "it is not there");
    assert!(!is_short(path, &[]), "it is built again");
    assert!(is_short(path, &[]));
}

#[test]
fn where_no_state_is_kept_nothing_is_noted() {
    let directory = directory(FILES);
    for _ in 0..2 {
        // What keeps state makes the directory; what changes nothing does not.
        let _ = fs::remove_dir_all(directory.path().join(".postls"));
        assert!(!is_short(directory.path(), &["--check"]));
        assert!(!directory.path().join(".postls").exists());
    }
    state(directory.path());
    assert!(!is_short(directory.path(), &["--check"]));
    assert!(!directory.path().join(".postls/settled.json").exists(), "it was only checked");
}

#[test]
fn main_cf_may_decide_what_the_next_plan_wants() {
    let main_cf = "smtp_tls_security_level = may\ndefault_database_type = texthash\n";
    let policy = "version: 1\nparameters: {smtp_tls_security_level: encrypt}\n\
        destinations: {a.example: encrypt}\n";
    let directory = directory(&[("main.cf", main_cf), ("postls.yaml", policy)]);
    let path = directory.path();
    let age = || write(&path.join("main.cf"), &fs::read(path.join("main.cf")).unwrap());
    if judges::installed().is_none() {
        return;
    }
    assert!(!is_short(path, &[]));
    age();
    assert!(
        !is_short(path, &[]),
        "the type of the table is main.cf's to say, and that has changed"
    );
    assert!(is_short(path, &[]));
    // With another type main.cf changes too, and nothing of it decides on a plan.
    write(&path.join("postls.yaml"), [policy, "table: {type: texthash}\n"].concat().as_bytes());
    write(&path.join("main.cf"), b"smtp_tls_security_level = may\n");
    assert!(!is_short(path, &[]));
    assert!(is_short(path, &[]));
}

/// Asks a witness as planning does, and records what it has seen.
fn asked(directory: &Path, files: &[PathBuf]) {
    let witness = Witness::new(&System);
    for file in files {
        let _ = witness.read(file);
    }
    let _ = witness.matching(&directory.join("*").to_string_lossy());
    assert!(witness.is_directory(directory) && !witness.exists(&directory.join("nothing")));
    let _ = (witness.unix_day(), witness.is_copy(), witness.resolve(directory));
    settled::record(&witness, directory, "asked", &Plan::default());
}

/// With the line that makes them whole.
fn signed(notes: &[u8]) -> Vec<u8> {
    let digest = HEXLOWER.encode(&Sha256::digest(notes));
    [notes, b"\n", digest.as_bytes(), b"\n"].concat()
}

#[test]
fn notes_that_are_not_whole_or_another_ones_say_nothing() {
    let directory = directory(&[("a", "a\n"), ("b", "b\n")]);
    let path = directory.path();
    asked(path, &["a", "b", "c"].map(|it| path.join(it)));
    let notes = path.join(".postls/settled.json");
    let whole = fs::read(&notes).unwrap();
    let holds = || settled::holds(&System, path, "asked");
    assert!(holds());
    assert!(!settled::holds(&System, path, "asked otherwise"));
    rounds(2000, |seed, round, random| {
        let mut bytes = whole.clone();
        let at = random.below(bytes.len());
        match random.below(4) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes.truncate(at),
            2 => drop(bytes.remove(at)),
            _ => bytes.insert(at, b'0'),
        }
        // The last line end ends nothing.
        if bytes.trim_ascii_end() != whole.trim_ascii_end() {
            fs::write(&notes, &bytes).unwrap();
            assert!(!holds(), "POSTLS_SEED={seed} round {round}: {}", bytes.escape_ascii());
        }
    });
    let text = String::from_utf8(whole.clone()).unwrap();
    let line = text.lines().next().unwrap();
    let version = format!("\"version\":\"{}\"", env!("CARGO_PKG_VERSION"));
    let day = format!("[\"Day\",{{\"Words\":\"{}\"}}]", System.unix_day());
    for (from, to) in [
        (version.as_str(), "\"version\":\"0.0.9\""),
        ("\"size\":", "\"size\":1"),
        ("\"modified\":", "\"modified\":1"),
        (day.as_str(), "[\"Day\",{\"Words\":\"7\"}]"),
        ("\"IsCopy\"", "\"IsCoffee\""),
    ] {
        assert!(line.contains(from), "{from} in {line}");
        fs::write(&notes, signed(line.replacen(from, to, 1).as_bytes())).unwrap();
        assert!(!holds(), "{to}");
    }
    fs::write(&notes, signed(line.as_bytes())).unwrap();
    assert!(holds(), "a test that signs as postls does");
    fs::remove_file(&notes).unwrap();
    fs::create_dir(&notes).unwrap();
    assert!(!holds());
    asked(path, &[]);
    assert!(!holds(), "that it could not be noted is no failure");
}

#[test]
fn it_holds_where_and_only_where_all_files_are_as_they_were() {
    let names = ["a", "b", "c", "d"];
    let content = |path: &Path| -> BTreeMap<&str, Option<Vec<u8>>> {
        names.into_iter().map(|it| (it, fs::read(path.join(it)).ok())).collect()
    };
    let mut held = 0;
    rounds(60, |seed, round, random| {
        let directory = directory(&[("a", "0"), ("b", "1")]);
        let path = directory.path();
        std::os::unix::fs::symlink(path.join("a"), path.join("d")).unwrap();
        asked(path, &names.map(|it| path.join(it)));
        let noted = content(path);
        for step in 0..20 {
            let file = path.join(names[random.below(3)]);
            match random.below(4) {
                0 => drop(fs::remove_file(&file)),
                text => fs::write(&file, text.to_string()).unwrap(),
            }
            if random.below(3) == 0 {
                for name in &names[..3] {
                    match &noted[name] {
                        Some(text) => fs::write(path.join(name), text).unwrap(),
                        None => drop(fs::remove_file(path.join(name))),
                    }
                }
            }
            let is_same = content(path) == noted;
            held += usize::from(is_same);
            let holds = settled::holds(&System, path, "asked");
            assert_eq!(holds, is_same, "POSTLS_SEED={seed} round {round} step {step}");
        }
    });
    assert!(held > 100, "{held}");
}

#[test]
fn what_cannot_be_asked_again_is_not_noted() {
    let cases: [fn(&Witness<'_>, &Path); 5] = [
        |witness, _| assert_eq!(witness.process_id(), System.process_id()),
        |witness, _| assert!(witness.unix_time() > 0),
        |witness, _| drop(witness.run("cat", &[], b"input")),
        |witness, path| drop(witness.stage(&path.join("a"), b"")),
        // One question, two answers.
        |witness, path| {
            let _ = witness.read(&path.join("a"));
            fs::write(path.join("a"), "other").unwrap();
            let _ = witness.read(&path.join("a"));
        },
    ];
    for (index, case) in cases.into_iter().enumerate() {
        let directory = directory(&[("a", "a\n")]);
        let path = directory.path();
        let witness = Witness::new(&System);
        case(&witness, path);
        settled::record(&witness, path, "asked", &Plan::default());
        assert!(!path.join(".postls/settled.json").exists(), "{index}");
    }
}
