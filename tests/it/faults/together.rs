//! Two applies and an administrator's `postconf -e` at the same time, again and again: no edit is lost, no file is half.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::bounded::{self, Ran};
use super::scene::{age, postfix, postls, rows, succeed};
use super::tree::nothing_is_left;
use crate::judges;

/// In how many directories, side by side: each round mostly waits, since Postfix's programs wait until main.cf is two seconds
/// old.
const DIRECTORIES: usize = 25;
const ROUNDS: usize = 8;

/// Nothing is lowered from one to the other: the default is encrypt.
const POLICIES: [&str; 2] = [
    "{both.example: encrypt, one.example: encrypt}",
    "{both.example: encrypt, two.example: encrypt}",
];

#[test]
fn two_applies_and_an_administrator_lose_nothing() {
    let Some(postfix) = judges::installed() else { return };
    let kinds: Vec<&str> = ["lmdb", "texthash", "hash", "cdb"]
        .into_iter()
        .filter(|it| *it == "texthash" || postfix.table_types.contains(*it))
        .collect();
    let counts = Counts::default();
    let failures: Vec<String> = thread::scope(|scope| {
        let run = |number: usize| {
            let (kind, counts) = (kinds[number % kinds.len()], &counts);
            scope.spawn(move || all_rounds(kind, counts).map_err(|why| format!("{kind}: {why}")))
        };
        let runs: Vec<_> = (0..DIRECTORIES).map(run).collect();
        runs.into_iter().filter_map(|it| it.join().expect("no panic").err()).collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    let Counts { applied, refused, edits, looks } = counts;
    println!(
        "together: {} rounds of two applies and an edit by postconf: {} applied, {} refused as stale; \
         {} edits, 0 lost; {} looks at the files, 0 half",
        DIRECTORIES * ROUNDS,
        applied.into_inner(),
        refused.into_inner(),
        edits.into_inner(),
        looks.into_inner()
    );
}

#[derive(Default)]
struct Counts {
    applied: AtomicUsize,
    refused: AtomicUsize,
    edits: AtomicUsize,
    looks: AtomicUsize,
}

fn all_rounds(kind: &str, counts: &Counts) -> Result<(), String> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let etc = directory.path();
    let begin = "# the first line\nsmtp_tls_security_level = encrypt\n";
    fs::write(etc.join("main.cf"), begin).expect("it is writable");
    fs::write(etc.join("master.cf"), "").expect("it is writable");
    age(etc);
    for (name, rows) in ["one.yaml", "two.yaml"].iter().zip(POLICIES) {
        // The second one owns a parameter as well, so that main.cf is written by each round.
        let log = if *name == "one.yaml" { "null" } else { "\"1\"" };
        let text = format!(
            "version: 1\ntable: {{type: {kind}}}\nparameters: {{smtp_tls_loglevel: {log}}}\ndestinations: {rows}\n"
        );
        fs::write(etc.join(name), text).expect("it is writable");
    }
    succeed(&mut postls(etc, &["apply", &path(etc, "one.yaml")]));
    let edits = AtomicUsize::new(0);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(etc, &edits, &over, counts));
        let rounds = (0..ROUNDS).try_for_each(|round| one_round(etc, round, &edits, counts));
        over.store(true, Ordering::Release);
        rounds.and(watcher.join().expect("no panic"))
    })?;
    // Whoever was last: one more ends it.
    succeed(&mut postls(etc, &["apply", &path(etc, "two.yaml")]));
    let main_cf = fs::read_to_string(etc.join("main.cf")).map_err(|it| it.to_string())?;
    if !main_cf.starts_with(begin) || main_cf.matches("smtp_tls_policy_maps").count() != 1 {
        return Err(format!("main.cf is another one:\n{main_cf}"));
    }
    for round in 0..ROUNDS {
        let line = format!("lab_counter_{round} = {round}");
        if !main_cf.lines().any(|it| it == line) {
            return Err(format!("the edit of round {round} is lost:\n{main_cf}"));
        }
    }
    age(etc);
    let found = rows(etc, kind, &["both.example", "one.example", "two.example"]);
    if found != "both.example\tencrypt\ntwo.example\tencrypt\n" {
        return Err(format!("the table is another one: {found}"));
    }
    let again =
        bounded::run(&mut postls(etc, &["apply", "--detailed-exitcode", &path(etc, "two.yaml")]));
    if again.status != Some(0) {
        return Err(format!("one more apply is not idle: {again:?}"));
    }
    nothing_is_left(etc)
}

/// One apply of each policy file and one edit, all at the same time.
fn one_round(etc: &Path, round: usize, edits: &AtomicUsize, counts: &Counts) -> Result<(), String> {
    let apply = |name: &str| bounded::run(&mut postls(etc, &["apply", &path(etc, name)]));
    let (one, two, edit) = thread::scope(|scope| {
        let one = scope.spawn(|| apply("one.yaml"));
        let two = scope.spawn(|| apply("two.yaml"));
        let edit = format!("lab_counter_{round}={round}");
        let edit = bounded::run(postfix("postconf", etc).args(["-e", &edit]));
        if edit.status == Some(0) {
            edits.store(round + 1, Ordering::Release);
        }
        (one.join().expect("no panic"), two.join().expect("no panic"), edit)
    });
    if edit.status != Some(0) {
        return Err(format!("postconf -e: {edit:?}"));
    }
    counts.edits.fetch_add(1, Ordering::Relaxed);
    for ran in [one, two] {
        match ran {
            Ran { status: Some(0), .. } => counts.applied.fetch_add(1, Ordering::Relaxed),
            // Plan after plan was stale, and it says so.
            Ran { status: Some(2), ref err, .. } if err.contains("changed in the meantime") => {
                counts.refused.fetch_add(1, Ordering::Relaxed)
            }
            ran => return Err(format!("round {round}: {ran:?}")),
        };
    }
    Ok(())
}

/// Reads the files all the time: whole, with every edit that was done before the reading began.
fn watch(
    etc: &Path,
    edits: &AtomicUsize,
    over: &AtomicBool,
    counts: &Counts,
) -> Result<(), String> {
    while !over.load(Ordering::Acquire) {
        let done = edits.load(Ordering::Acquire);
        let main_cf = fs::read_to_string(etc.join("main.cf")).map_err(|it| it.to_string())?;
        let table = fs::read_to_string(etc.join("tls_policy")).map_err(|it| it.to_string())?;
        let mut wanted = String::from("# the first line\n");
        for round in 0..done {
            writeln!(wanted, "lab_counter_{round} = {round}").expect("a String takes all");
        }
        let lost = wanted.lines().find(|it| !main_cf.lines().any(|line| line == *it));
        if lost.is_some() || !main_cf.ends_with('\n') {
            return Err(format!("after {done} edits, without {lost:?}: main.cf is\n{main_cf}"));
        }
        let rows: Vec<&str> = table.lines().filter(|it| !it.starts_with('#')).collect();
        let whole = ["one.example encrypt", "two.example encrypt"];
        let whole = whole.iter().any(|it| rows == ["both.example encrypt", *it]);
        if !whole {
            return Err(format!("the table is half:\n{table}"));
        }
        counts.looks.fetch_add(1, Ordering::Relaxed);
        thread::sleep(std::time::Duration::from_millis(20));
    }
    Ok(())
}

fn path(etc: &Path, name: &str) -> String {
    etc.join(name).display().to_string()
}
