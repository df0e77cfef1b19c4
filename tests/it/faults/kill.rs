//! `kill -9` before every call to the kernel that changes something: of postls itself, and of the postmap and postconf that it
//! runs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::scene::{self, Case, Prepared, Scene, age, postls};
use super::tracer::{self, Call, Fault};
use super::tree::{self, nothing_is_left};
use super::{all, bounded, try_each};
use crate::judges;

/// One run that is killed.
struct Killed<'p> {
    prepared: &'p Prepared,
    was: PathBuf,
    call: Call,
    then: Then,
}

/// What is done after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Apply,
    /// The administrator edits main.cf in between.
    EditAndApply,
    /// It is taken back instead.
    RollBack,
}

#[test]
fn a_killed_apply_loses_nothing_and_the_next_one_ends_it() {
    let Some(postfix) = judges::installed() else { return };
    if !tracer::usable() {
        return;
    }
    let prepared: Vec<Prepared> = scene::of(postfix).map(Scene::prepare).collect();
    let mut cases = Vec::new();
    for (number, prepared) in prepared.iter().enumerate() {
        let (was, calls) = calls(prepared);
        for (index, call) in calls.into_iter().enumerate() {
            // Every step of the first scene; of the others a third, another one in each.
            let then = match index % 4 {
                1 if !prepared.scene.is_linked() => Then::EditAndApply,
                3 => Then::RollBack,
                _ => Then::Apply,
            };
            if all() || number == 0 || index % 3 == number % 3 {
                let was = was.clone();
                cases.push(Killed { prepared, was, call, then });
            }
        }
    }
    let killed = AtomicUsize::new(0);
    try_each(&cases, |_, case| {
        let directory = case.prepared.case();
        let named = |why: String| {
            let (scene, Call { name, nth, text, .. }) = (case.prepared.scene.name, &case.call);
            format!("{scene}: killed before {name} {nth}, then {:?}:\n  {text}\n  {why}", case.then)
        };
        let apply = postls(&directory.config(), &["apply"]);
        let log = directory.scratch("log");
        let is = directory.path();
        let ran = tracer::inject(&apply, Fault::Kill, &case.call, &case.was, is, &log);
        if ran.signal != Some(9) {
            return Err(named(format!("was not killed: {ran:?}")));
        }
        killed.fetch_add(1, Ordering::Relaxed);
        case.prepared.whole(&directory).map_err(named)?;
        recovers(case.prepared, &directory, case.then).map_err(named)
    });
    let states: usize = prepared.iter().map(Prepared::states).sum();
    println!(
        "kill: {} killed runs, {states} states in which Postfix was asked, 0 lost",
        killed.into_inner()
    );
}

/// The calls of an undisturbed apply that change something in the directory, or start a program; and the directory.
fn calls(prepared: &Prepared) -> (PathBuf, Vec<Call>) {
    let case = prepared.case();
    let calls = tracer::calls(&postls(&case.config(), &["apply"]), &case.scratch("log"));
    (case.path().to_owned(), calls.into_iter().filter(|it| it.changes(case.path())).collect())
}

/// After a run that was cut off: the next one comes to the end that an undisturbed one comes to.
fn recovers(prepared: &Prepared, case: &Case, then: Then) -> Result<(), String> {
    let etc = case.config();
    age(&etc);
    if etc.join(".postls/journal.json").exists() {
        says_interrupted(&etc)?;
    }
    match then {
        Then::Apply => {
            must_succeed(&mut postls(&etc, &["apply"]))?;
            prepared.is_new(case)?;
            age(&etc);
            let before = tree::tree(&etc);
            // Idle from now on.
            must_succeed(&mut postls(&etc, &["apply", "--detailed-exitcode"]))?;
            tree::differences(&before, &tree::tree(&etc), None)?;
        }
        Then::EditAndApply => {
            must_succeed(scene::postfix("postconf", &etc).args(["-e", "lab_counter=1"]))?;
            age(&etc);
            must_succeed(&mut postls(&etc, &["apply"]))?;
            let kept = "lab_counter = 1\n";
            let text = fs::read_to_string(etc.join("main.cf")).map_err(|it| it.to_string())?;
            let Some(at) = text.find(kept) else {
                return Err(format!("the edit in between is lost:\n{text}"));
            };
            // It is where postconf put it; without that line the rest is as without it.
            let text = format!("{}{}", &text[..at], &text[at + kept.len()..]);
            fs::write(etc.join("main.cf"), text).map_err(|it| it.to_string())?;
            prepared.is_new(case)?;
        }
        Then::RollBack => {
            // The way back is one step where there is a step, and none where nothing was done yet.
            let interrupted = etc.join(".postls/journal.json").exists();
            let to = prepared.generations_before.to_string();
            let ran = bounded::run(&mut postls(&etc, &["rollback", &to]));
            let nothing_yet = ran.err.contains("postls has changed nothing");
            if ran.status != Some(0) && !(ran.status == Some(2) && nothing_yet) {
                return Err(format!("rollback: {ran:?}"));
            }
            if !interrupted {
                // It was killed before it wrote the journal, and nobody knows of an empty lock file. That does no
                // harm: the next editor takes it.
                let _ = fs::remove_file(etc.join("main.cf.tmp"));
            }
            prepared.is_old_again(case)?;
            age(&etc);
            must_succeed(&mut postls(&etc, &["apply"]))?;
            prepared.is_new(case)?;
        }
    }
    nothing_is_left(&etc)
}

fn must_succeed(command: &mut Command) -> Result<(), String> {
    let ran = bounded::run(command);
    if ran.status == Some(0) { Ok(()) } else { Err(format!("{command:?}: {ran:?}")) }
}

/// After a run that failed: the next one comes to the end that an undisturbed one comes to.
pub(super) fn recovers_by_apply(prepared: &Prepared, case: &Case) -> Result<(), String> {
    recovers(prepared, case, Then::Apply)
}

/// Commands that only look say that an apply was interrupted.
fn says_interrupted(etc: &Path) -> Result<(), String> {
    for command in ["diff", "lint"] {
        let ran = bounded::run(&mut postls(etc, &[command]));
        if !ran.err.contains("interrupted") {
            return Err(format!("{command} does not say that an apply was interrupted: {ran:?}"));
        }
    }
    Ok(())
}

/// A postmap or postconf that is killed at any of its own calls is a failure like another one.
#[test]
fn a_killed_postmap_or_postconf_changes_nothing() {
    let Some(postfix) = judges::installed() else { return };
    if !tracer::usable() {
        return;
    }
    let prepared: Vec<Prepared> = scene::one_of_each_index(postfix).map(Scene::prepare).collect();
    let mut cases = Vec::new();
    for (number, prepared) in prepared.iter().enumerate() {
        for program in ["postmap", "postconf"] {
            for (name, most) in [
                ("?openat", 90),
                ("?write", 6),
                ("?pwrite64", 12),
                ("?fsync", 3),
                ("?fdatasync", 3),
                ("?ftruncate", 3),
                ("?fcntl", 12),
                ("?rename", 2),
            ] {
                // The first openats load libraries.
                let first = if name == "?openat" { 30 } else { 1 };
                for nth in (first..=most).filter(|it| all() || it % 3 == number % 3) {
                    cases.push((prepared, program, name, nth));
                }
            }
        }
    }
    let killed = AtomicUsize::new(0);
    try_each(&cases, |_, (prepared, program, name, nth)| {
        let case = prepared.case();
        let log = case.scratch("log");
        let apply = wrapped(&case, program, &tracer::words(Fault::Kill, name, *nth, &log));
        let ran = apply.map(|mut it| bounded::run(&mut it))?;
        let named = |why: String| {
            format!("{}: {program} killed at {name} {nth}: {ran:?}\n  {why}", prepared.scene.name)
        };
        let was_killed = fs::read_to_string(&log).is_ok_and(|it| it.contains("INJECTED"))
            || case.scratch("killed").exists();
        killed.fetch_add(usize::from(was_killed), Ordering::Relaxed);
        match ran.status {
            Some(0) => prepared.is_new(&case),
            Some(2 | 3) => prepared.is_old(&case).and_then(|()| nothing_is_left(&case.config())),
            _ => Err("an unexpected end".to_owned()),
        }
        .map_err(named)?;
        recovers(prepared, &case, Then::Apply).map_err(named)
    });
    println!("kill: {} times postmap or postconf, 0 lost", killed.into_inner());
}

/// An apply that finds one of Postfix's programs only behind other words.
fn wrapped(case: &Case, program: &str, words: &[String]) -> Result<Command, String> {
    let bin = case.scratch("bin");
    fs::create_dir(&bin).map_err(|it| it.to_string())?;
    let quoted: Vec<String> = words.iter().map(|it| format!("'{it}'")).collect();
    let killed = case.scratch("killed");
    let script = format!(
        "#!/bin/sh\nPATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin\n{} /usr/sbin/{program} \"$@\"\nstatus=$?\n\
         [ $status != 137 ] || touch '{}'\nexit $status\n",
        quoted.join(" "),
        killed.display()
    );
    fs::write(bin.join(program), script).map_err(|it| it.to_string())?;
    fs::set_permissions(bin.join(program), fs::Permissions::from_mode(0o755))
        .map_err(|it| it.to_string())?;
    let path = std::env::var("PATH").unwrap_or_default();
    let mut apply = postls(&case.config(), &["apply"]);
    apply.env("PATH", format!("{}:{path}", bin.display()));
    Ok(apply)
}

/// Whoever takes back an interrupted apply does not take back the one before it as well.
#[test]
fn rollback_takes_back_what_was_interrupted_and_no_more() {
    let Some(postfix) = judges::installed() else { return };
    if !tracer::usable() {
        return;
    }
    let Some(scene) = scene::of(postfix).find(|it| it.kind == "lmdb") else { return };
    let prepared = scene.prepare();
    let (was, calls) = calls(&prepared);
    // In the middle of the files.
    let call =
        calls.iter().rfind(|it| it.name.starts_with("rename") && it.text.contains("etc/main.cf\""));
    let call = call.expect("main.cf is put in its place");
    let case = prepared.case();
    let apply = postls(&case.config(), &["apply"]);
    let ran = tracer::inject(&apply, Fault::Kill, call, &was, case.path(), &case.scratch("log"));
    assert_eq!(ran.signal, Some(9), "{ran:?}");
    age(&case.config());
    let ran = bounded::run(&mut postls(&case.config(), &["rollback"]));
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.err.contains("was undone now"), "{ran:?}");
    prepared.is_old(&case).unwrap_or_else(|why| panic!("{why}"));
    nothing_is_left(&case.config()).unwrap_or_else(|why| panic!("{why}"));
}
