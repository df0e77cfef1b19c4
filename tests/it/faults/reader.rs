//! Readers of the live table while it is applied again and again: postmap, and a Postfix that delivers.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::all;
use super::bounded;
use super::scene::{age, postls, rows, succeed};
use super::tree::nothing_is_left;
use crate::judges;
use crate::lab::{self, Lab, Outcome};

/// How many rounds, of all table types together.
const APPLIES: usize = 200;

/// Keys that each state has.
const SHARED: usize = 40;

/// A policy file with the shared rows, and some that only this state has, so that the rows stand elsewhere.
fn policy(kind: &str, state: usize) -> String {
    let mut text = format!("version: 1\ntable: {{type: {kind}}}\ndestinations:\n");
    for number in 0..SHARED {
        writeln!(text, "  shared{number}.example: encrypt").expect("a String takes all");
    }
    for number in 0..(50 + 150 * state) {
        writeln!(text, "  a{state}x{number}.example: encrypt").expect("a String takes all");
    }
    text
}

#[test]
fn a_reader_finds_every_key_during_applies() {
    let Some(postfix) = judges::installed() else { return };
    let kinds: Vec<&str> = ["lmdb", "hash", "cdb", "texthash"]
        .into_iter()
        .filter(|it| *it == "texthash" || postfix.table_types.contains(*it))
        .collect();
    let rounds = if all() { APPLIES } else { APPLIES / kinds.len() };
    let lookups = AtomicUsize::new(0);
    thread::scope(|scope| {
        for kind in &kinds {
            let lookups = &lookups;
            scope.spawn(move || read_while_applying(kind, rounds, lookups));
        }
    });
    println!(
        "readers: {} rounds with {}; {} lookups of keys that stay, 0 failed",
        rounds * kinds.len(),
        kinds.join(", "),
        lookups.into_inner()
    );
}

fn read_while_applying(kind: &str, rounds: usize, lookups: &AtomicUsize) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let etc = directory.path();
    fs::write(etc.join("main.cf"), "smtp_tls_security_level = encrypt\n").expect("writable");
    fs::write(etc.join("master.cf"), "").expect("it is writable");
    age(etc);
    for state in [0, 1] {
        fs::write(etc.join(format!("{state}.yaml")), policy(kind, state)).expect("writable");
    }
    let apply = |state: usize| {
        let policy = etc.join(format!("{state}.yaml"));
        succeed(postls(etc, &["apply"]).arg(policy));
    };
    apply(0);
    age(etc);
    let keys: Vec<String> = (0..SHARED).map(|it| format!("shared{it}.example")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let wanted: String = keys.iter().flat_map(|it| [it, "\tencrypt\n"]).collect();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Acquire) {
                let found = rows(etc, kind, &keys);
                assert_eq!(found, wanted, "{kind}");
                lookups.fetch_add(keys.len(), Ordering::Relaxed);
            }
        });
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for round in 1..=rounds {
                apply(round % 2);
            }
        }));
        over.store(true, Ordering::Release);
        assert!(done.is_ok(), "{kind}: an apply failed");
    });
    nothing_is_left(etc).unwrap_or_else(|why| panic!("{kind}: {why}"));
}

#[test]
fn postfix_delivers_during_applies() {
    let Some(postfix) = lab::all().iter().find(|it| it.root.is_none()) else { return };
    let mut kinds = vec!["texthash"];
    kinds.extend(["lmdb", "hash", "cdb"].iter().filter(|it| postfix.table_types.contains(**it)));
    // A texthash table takes a reload each time, and a look at what becomes of it, which takes seconds.
    let with_reload = if kinds.len() == 1 { APPLIES } else { APPLIES / 20 };
    let without = (APPLIES - with_reload).div_ceil(kinds.len().max(2) - 1);
    let sent = AtomicUsize::new(0);
    let applied = AtomicUsize::new(0);
    thread::scope(|scope| {
        for kind in &kinds {
            let (sent, applied) = (&sent, &applied);
            let share = if *kind == "texthash" { with_reload } else { without };
            let rounds = if all() { APPLIES } else { share };
            scope.spawn(move || deliver_while_applying(postfix, kind, rounds, sent, applied));
        }
    });
    println!(
        "a Postfix that delivers: {} rounds with {}; {} mails, all delivered with TLS, 0 deferred",
        applied.into_inner(),
        kinds.join(", "),
        sent.into_inner()
    );
}

fn deliver_while_applying(
    postfix: &'static judges::Judge,
    kind: &str,
    rounds: usize,
    sent: &AtomicUsize,
    applied: &AtomicUsize,
) {
    // A key that is not found would mean mail without TLS.
    let main_cf = "smtp_tls_security_level = none\nsmtp_connection_cache_on_demand = no\n";
    let mut lab = Lab::new(postfix, &[("main.cf", main_cf.as_bytes())]);
    let etc = lab.config_dir();
    for state in [0, 1] {
        fs::write(etc.join(format!("{state}.yaml")), policy(kind, state)).expect("writable");
    }
    let apply_state = |state: usize| {
        let mut command = lab.outside(env!("CARGO_BIN_EXE_postls"));
        command.arg("-c").arg(&etc).arg("apply").arg(etc.join(format!("{state}.yaml")));
        command.args(allowed(&etc));
        command
    };
    succeed(&mut apply_state(0));
    let commands: Vec<Command> = (1..=rounds).map(|round| apply_state(round % 2)).collect();
    age(&etc);
    fs::set_permissions(&etc, fs::Permissions::from_mode(0o755)).expect("it is ours");
    assert!(lab.start().status.success(), "{}", lab.log());
    let domains: Vec<String> = (0..SHARED).map(|it| format!("shared{it}.example")).collect();
    let domains: Vec<&str> = domains.iter().map(String::as_str).collect();
    lab.resolve(&domains.join(" "));
    let over = AtomicBool::new(false);
    let mails = thread::scope(|scope| {
        let applying = scope.spawn(|| {
            let failed = commands.into_iter().find_map(|mut command| {
                applied.fetch_add(1, Ordering::Relaxed);
                let ran = bounded::run(&mut command);
                (ran.status != Some(0)).then(|| format!("{ran:?}"))
            });
            over.store(true, Ordering::Release);
            failed
        });
        let mut mails = 0;
        while !over.load(Ordering::Acquire) {
            for few in domains.chunks(8) {
                // Not by the lab, which writes the hosts file each time.
                let mut command = lab.outside(&postfix.sendmail);
                command.arg("-C").arg(&etc).args(["-f", "root@lab.test"]);
                let recipients = few.iter().map(|domain| format!("u@{domain}"));
                let output = command.args(recipients).output().expect("sendmail runs");
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                mails += few.len();
                // As many as are delivered meanwhile, or the queue would be long when the rounds are over.
                lab.logs("status=", mails.saturating_sub(16));
                // And not so many that the applies have to wait for the mail.
                thread::sleep(Duration::from_millis(500));
            }
        }
        assert_eq!(applying.join().expect("no panic"), None, "{kind}:\n{}", tail(&lab.log()));
        mails
    });
    lab.logs("status=sent", mails);
    let log = lab.log();
    let count = |text: &str| log.matches(text).count();
    assert_eq!(count("status=sent"), mails, "{kind}:\n{}", tail(&log));
    assert_eq!(count("TLS connection established"), mails, "{kind}:\n{}", tail(&log));
    for trouble in ["status=deferred", "status=bounced"] {
        assert_eq!(log.lines().find(|it| it.contains(trouble)), None, "{kind}");
    }
    // `postfix check`, which apply asks, looks from outside of the lab at another hosts file; and its postsuper
    // finds the name of a mail odd that is just being written.
    let is_of_check = |it: &String| {
        it.contains("postfix-script")
            || it.contains("postsuper: warning: bogus file name: maildrop/")
    };
    let complaints = lab.complaints().into_iter().filter(|it| !is_of_check(it));
    assert_eq!(complaints.collect::<Vec<_>>(), [""; 0], "{kind}");
    for domain in &domains {
        assert!(matches!(lab.outcome(domain), Outcome::Sent { .. }), "{domain}");
    }
    sent.fetch_add(mails, Ordering::Relaxed);
    lab.stop();
    nothing_is_left(&etc).unwrap_or_else(|why| panic!("{kind}: {why}"));
}

/// The default of a lab's main.cf is none, and a row that goes away asks for less from then on.
fn allowed(etc: &Path) -> &'static [&'static str] {
    let said = succeed(&mut postls(etc, &["apply", "--help"])).out;
    if said.contains("--allow-downgrade") { &["--allow-downgrade", "all"] } else { &[] }
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
