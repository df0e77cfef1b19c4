//! postls and postconf wait for each other, and a daemon that dies of a reload brings the old files back.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use postls::apply::{self, Failure, KEEP, Options, Record, Reload};
use postls::host::{Host, System};
use postls::plan::{Change, Plan, base};

use crate::judges;
use crate::lab::{self, Lab};

const LONG: Duration = Duration::from_secs(30);

/// As long as we hold the lock, `postconf -e` does not come to its end; then it edits what is there.
#[test]
fn postconf_waits_for_our_lock() {
    for postfix in judges::all() {
        let chamber = postfix.chamber();
        chamber.write("main.cf", b"# one\n");
        let lock_file = chamber.path().join("main.cf.tmp");
        let lock = System.lock(&lock_file, LONG).expect("nobody has it");
        let mut edit = postfix.command("postconf");
        edit.arg("-c").arg(chamber.path()).args(["-e", "myhostname = mx.example"]);
        let mut edit = edit.stdin(Stdio::null()).spawn().expect("it runs");
        // Long enough for any postconf that does not wait.
        for _ in 0..10 {
            std::thread::sleep(Duration::from_millis(100));
            assert!(edit.try_wait().expect("it is ours").is_none(), "{}", postfix.full_version);
        }
        let main_cf = chamber.path().join("main.cf");
        fs::write(&main_cf, "# two\n").expect("ours");
        System.remove(&lock_file).expect("ours");
        drop(lock);
        assert!(edit.wait().expect("it is ours").success());
        let text = fs::read_to_string(&main_cf).expect("ours");
        assert_eq!(text, "# two\nmyhostname = mx.example\n", "{}", postfix.full_version);
    }
}

#[test]
fn only_one_has_a_lock_and_what_a_crash_left_is_no_lock() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("main.cf.tmp");
    let now = Duration::ZERO;
    let lock = System.lock(&path, now).expect("nobody has it");
    let error = System.lock(&path, Duration::from_millis(50)).expect_err("it is held");
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    drop(lock);
    // A program that another test is about to start has it for a moment.
    System.lock(&path, LONG).expect("it was given back");
    // Another name for main.cf itself, a symbolic link, a pipe, a file that all may read.
    let other = directory.path().join("main.cf");
    fs::write(&other, "text").expect("ours");
    let pipe = |path: &std::path::Path| {
        let made = Command::new("mkfifo").arg(path).status().expect("it runs");
        assert!(made.success());
    };
    let makes: [&dyn Fn(); 4] = [
        &|| fs::hard_link(&other, &path).expect("ours"),
        &|| std::os::unix::fs::symlink(&other, &path).expect("ours"),
        &|| pipe(&path),
        &|| fs::write(&path, "").expect("ours"),
    ];
    for make in makes {
        fs::remove_file(&path).expect("ours");
        make();
        System.lock(&path, LONG).expect("what is left over is no lock");
        assert_eq!(fs::read_to_string(&other).expect("ours"), "text");
        assert!(path.symlink_metadata().expect("it is there").is_file());
    }
    fs::remove_file(&path).expect("ours");
    fs::create_dir(&path).expect("ours");
    System.lock(&path, now).expect_err("a directory is somebody's");
}

/// A plan for main.cf that no lint has seen.
fn to(main_cf: &[u8], new: &[u8]) -> Plan {
    let (name, old) = ("main.cf".to_owned(), Some(main_cf.to_vec()));
    let change = Change::Write { name, kind: None, old, new: new.to_vec() };
    let base = vec![base("main.cf", Some(main_cf))];
    Plan { base, changes: vec![change], reload: true, ..Plan::default() }
}

#[test]
fn what_postfix_does_not_take_is_put_back() {
    let Some(postfix) = judges::installed() else { return };
    let chamber = postfix.chamber();
    let options = Options {
        reload: Reload::Never,
        record: Record::Generation { command: "apply", policy: None, keep: KEEP },
    };
    let main_cf = fs::read(chamber.path().join("main.cf")).expect("it is there");
    for new in ["compatibility_level = x\n", "inet_protocols = x\n", "no equals sign\n"] {
        let text = [&main_cf, new.as_bytes()].concat();
        let result = apply::apply(&System, chamber.path(), &to(&main_cf, &text), &options);
        let Err(Failure::PutBack(why)) = result else { panic!("{new}: {result:?}") };
        assert!(why.contains("postconf does not read main.cf"), "{why}");
        assert_eq!(fs::read(chamber.path().join("main.cf")).expect("it is there"), main_cf);
        assert_eq!(apply::history(&System, chamber.path()), Ok(Vec::new()), "{new}");
    }
}

const OWNED: &str = "version: 1\ndestinations: {}\nparameters:\n  ";

/// The state before the first apply is one that Postfix does not survive: going back to it is put back,
/// and mail goes on.
#[test]
fn a_daemon_that_dies_of_a_reload_brings_the_old_files_back() {
    lab::with_each(|postfix| {
        for (bad, good, said) in [
            (
                "qmgr_message_active_limit = x\n",
                "qmgr_message_active_limit: \"20000\"\n",
                "a daemon died",
            ),
            ("service_throttle_time = x\n", "service_throttle_time: 60s\n", "died"),
        ] {
            let policy = [OWNED, good].concat();
            let files = [("main.cf", bad.as_bytes()), ("postls.yaml", policy.as_bytes())];
            let mut lab = Lab::new(postfix, &files);
            // There is no inside before the first start.
            lab.start();
            lab.stop();
            let (status, text) = run(&lab, &["apply", "--adopt"]);
            assert_eq!(status, Some(0), "{text}");
            let good = fs::read(lab.path("etc/main.cf")).expect("it is there");
            lab.start();
            let (status, text) = run(&lab, &["rollback", "0"]);
            assert_eq!(status, Some(3), "{text}");
            assert!(text.contains(said) && text.contains("everything was put back"), "{text}");
            assert_eq!(fs::read(lab.path("etc/main.cf")).expect("it is there"), good);
            lab.send(&["a.example"]);
            assert!(lab.logs("status=sent", 1), "{bad}: {}", lab.log());
            lab.stop();
        }
    });
}

/// Runs postls where the lab's Postfix is: what it said.
fn run(lab: &Lab, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = lab.inside(env!("CARGO_BIN_EXE_postls"));
    let output = command.args(arguments).arg("-c").arg(lab.config_dir()).output().expect("it runs");
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}
