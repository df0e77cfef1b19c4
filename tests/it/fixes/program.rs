//! The program in a directory: what it writes, what it leaves alone, and what it does where a step
//! fails.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use postls::plan::{self, Fixed, Noticed, Plan, of_fixes};

use super::files;
use crate::lab::{self, Lab};
use crate::{apply, rules as examples};

/// The program in a directory: exit status, standard output, standard error.
fn postls(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postls"));
    command.current_dir(directory).args(["lint", "--postfix", "3.7"]).args(arguments);
    output(&mut command)
}

fn output(command: &mut Command) -> (i32, String, String) {
    let output = command.env("LC_ALL", "C").output().expect("it is built");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().expect("it exits"), text(&output.stdout), text(&output.stderr))
}

/// Makes a directory of each example; their names.
fn directories(scratch: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for (number, (rule, text)) in examples::all_examples().into_iter().enumerate() {
        let name = format!("{number:03}-{}", rule.id);
        fs::create_dir(scratch.join(&name)).expect("it can be made");
        fs::write(scratch.join(&name).join("main.cf"), "").expect("it can be written");
        for (file, bytes) in files(&text) {
            let path = scratch.join(&name).join(file);
            fs::create_dir_all(path.parent().expect("it is in a directory"))
                .expect("it can be made");
            fs::write(path, bytes).expect("it can be written");
        }
        names.push(name);
    }
    names
}

/// Errors by directory and rule, and the findings with a fix of such a safety.
fn found(scratch: &Path, names: &[&str]) -> (BTreeMap<(String, String), usize>, Vec<String>) {
    let (_, json, _) = postls(scratch, &[&["--format", "json"], names].concat());
    let json: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    let (mut errors, mut fixable) = (BTreeMap::new(), Vec::new());
    for finding in json["findings"].as_array().expect("a list") {
        let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
        let file = text("file");
        let directory = file.split('/').next().expect("it has a part").to_owned();
        if text("severity") == "error" {
            *errors.entry((directory, text("rule"))).or_default() += 1;
        }
        if let Some(safety) = finding["fix"]["safety"].as_str() {
            fixable.push(format!("{safety} {file}:{}: {}", finding["line"], text("rule")));
        }
    }
    (errors, fixable)
}

/// All files but what postls keeps for itself.
fn bytes_below(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(path).expect("it is a directory") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            if !path.ends_with(".postls") {
                found.extend(bytes_below(&path));
            }
        } else {
            let bytes = fs::read(&path).expect("it can be read");
            found.insert(path.to_string_lossy().into_owned(), bytes);
        }
    }
    found
}

#[test]
fn the_program_fixes_each_example_and_makes_no_error() {
    for options in [&["--fix"][..], &["--fix", "--unsafe-fixes"]] {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let scratch = scratch.path();
        let names = directories(scratch);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let run = |options: &[&str]| {
            postls(scratch, &[options, &["--format", "short"], names.as_slice()].concat())
        };
        let (errors, fixable) = found(scratch, &names);
        let before = bytes_below(scratch);
        let (_, patch, _) = postls(scratch, &[options, &["--diff"], names.as_slice()].concat());
        assert_eq!(bytes_below(scratch), before, "--diff writes nothing");
        let (status, _, said) = run(options);
        assert_eq!(status, 1, "{said}");
        let left_out: Vec<&str> = said.lines().filter(|it| it.contains("is not fixed")).collect();
        let is_wanted = |it: &&String| options.len() > 1 || it.starts_with("safe ");
        let wanted = fixable.iter().filter(is_wanted).count();
        assert!(wanted > 30 && left_out.len() < 5, "{wanted} {left_out:?}");
        assert!(patch.lines().count() > 100);
        let (errors_now, fixable_now) = found(scratch, &names);
        for (of, count) in &errors_now {
            assert!(errors.get(of).is_some_and(|it| it >= count), "{of:?}");
        }
        assert_eq!(fixable_now.iter().filter(is_wanted).count(), left_out.len(), "{fixable_now:?}");
        let after = bytes_below(scratch);
        let (_, _, again) = run(options);
        assert!(!again.contains(": fixed"), "{again}");
        assert_eq!(bytes_below(scratch), after, "a second run changes nothing");
        let (status, patch, _) =
            postls(scratch, &[options, &["--diff"], names.as_slice()].concat());
        assert_eq!((status, patch.as_str()), (0, ""));
    }
}

fn aged(path: &Path) {
    let aged = std::time::SystemTime::now() - std::time::Duration::from_secs(10);
    let file = fs::File::options().write(true).open(path).expect("it is there");
    file.set_modified(aged).expect("it is ours");
}

fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for (name, text) in files {
        fs::write(directory.path().join(name), text).expect("it can be written");
        aged(&directory.path().join(name));
    }
    directory
}

const UNTIDY: &str = "smtp_tls_security_level = may\nsmtp_tls_security_level = may";
const TIDY: &str = "smtp_tls_security_level = may\n";

#[test]
fn modes_and_links_stay_and_what_was_not_asked_for_too() {
    let directory = directory(&[("real", UNTIDY), ("master.cf", "# c")]);
    let path = directory.path();
    symlink("real", path.join("main.cf")).expect("it can be linked");
    fs::set_permissions(path.join("real"), fs::Permissions::from_mode(0o640)).expect("it is ours");
    let (status, stdout, stderr) =
        postls(path, &["--fix", "main.cf", "--format", "short", "--fail-on", "advice"]);
    assert_eq!((status, stdout.as_str()), (0, ""));
    assert_eq!(stderr, "postls: fixed 2 findings in main.cf\n");
    assert!(path.join("main.cf").is_symlink());
    assert_eq!(fs::read_to_string(path.join("real")).expect("it is there"), TIDY);
    assert_eq!(path.join("real").metadata().expect("it is there").mode() & 0o777, 0o640);
    assert_eq!(fs::read(path.join("master.cf")).expect("it is there"), b"# c");
}

#[test]
fn passwords_are_not_shown_and_impossible_wishes_are_refused() {
    let secret = "[mx.example]:587 user:hunter2";
    let directory = directory(&[("main.cf", ""), ("sasl_passwd", secret)]);
    let path = directory.path();
    let (status, stdout, stderr) = postls(path, &["--fix", "--diff", "sasl_passwd", "-c", "."]);
    assert_eq!((status, stdout.as_str()), (1, ""));
    assert!(stderr.contains("sasl_passwd: it holds passwords"), "{stderr}");
    for wrong in [
        &["--fix", "--as", "main.cf", "-"][..],
        &["--fix", "-"],
        &["--unsafe-fixes"],
        &["--diff"],
        &["--fix", "--diff", "--format", "json"],
    ] {
        assert_eq!(postls(path, wrong).0, 2, "{wrong:?}");
    }
    let (_, json, _) = postls(path, &["--fix", "--format", "json", "sasl_passwd", "-c", "."]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("nothing else is printed");
    assert_eq!(json["findings"].as_array().map(Vec::len), Some(0));
    assert!(fs::read(path.join("sasl_passwd")).expect("it is there").ends_with(b"hunter2\n"));
}

/// What is right by itself is not made where it brings an error to light that nothing mends.
#[test]
fn a_fix_that_would_bring_an_error_is_left_out_and_the_others_are_made() {
    let main_cf =
        "smtp_tls_securty_level = no such\nsmtp_tls_loglevel = 1\nsmtp_tls_loglevel = 2\n";
    let directory = directory(&[("main.cf", main_cf)]);
    let path = directory.path();
    let (status, _, stderr) = postls(path, &["--fix", "--unsafe-fixes", "-c", "."]);
    assert_eq!(status, 1);
    assert_eq!(
        stderr,
        "postls: main.cf:1: unused-parameter is not fixed: smtp-tls-level-invalid would be found then\n\
         postls: fixed 1 finding in main.cf\n"
    );
    let left = fs::read_to_string(path.join("main.cf")).expect("it is there");
    assert_eq!(left, "smtp_tls_securty_level = no such\nsmtp_tls_loglevel = 2\n");
}

/// Of two names that a typo stands for only one can become the right one.
#[test]
fn two_fixes_that_are_in_each_others_way_are_not_both_made() {
    let main_cf = "smtp_tls_securty_level = may\nsmtp_tls_security_levl = encrypt\n";
    let directory = directory(&[("main.cf", main_cf)]);
    let (status, _, _) = postls(directory.path(), &["--fix", "--unsafe-fixes", "-c", "."]);
    let left = fs::read_to_string(directory.path().join("main.cf")).expect("it is there");
    assert_eq!(left, "smtp_tls_securty_level = may\nsmtp_tls_security_level = encrypt\n");
    assert_eq!(status, 0, "what is left is a warning");
}

#[test]
fn many_equal_lines_take_as_many_rounds_as_they_need() {
    let main_cf = "smtp_tls_loglevel = 1\n".repeat(5000);
    let directory = directory(&[("main.cf", &main_cf)]);
    let (status, _, stderr) = postls(directory.path(), &["--fix", "-c", "."]);
    assert_eq!((status, stderr.as_str()), (0, "postls: fixed 4999 findings in main.cf\n"));
}

#[test]
fn nothing_is_changed_where_a_file_cannot_be_written() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let good = directory(&[("main.cf", UNTIDY)]);
    let bad = directory(&[("main.cf", UNTIDY)]);
    for path in [good.path(), bad.path()] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it is ours");
        fs::set_permissions(path.join("main.cf"), fs::Permissions::from_mode(0o644))
            .expect("it is ours");
    }
    for path in [good.path().to_owned(), good.path().join("main.cf")] {
        std::os::unix::fs::chown(path, Some(65534), Some(65534)).expect("root may");
    }
    // Where nobody but root may look, as in its home directory.
    let scratch = tempfile::tempdir().expect("a temporary directory");
    fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    let program = scratch.path().join("postls");
    fs::copy(env!("CARGO_BIN_EXE_postls"), &program).expect("it can be copied");
    let mut command = Command::new(program);
    command
        .current_dir("/")
        .args(["lint", "--fix", "--fail-on", "never"])
        .arg(bad.path())
        .arg(good.path());
    let (status, _, stderr) = output(command.uid(65534).gid(65534));
    assert_eq!(status, 2, "{stderr}");
    assert!(stderr.contains("nothing was changed"), "{stderr}");
    assert_eq!(fs::read_to_string(bad.path().join("main.cf")).expect("it is there"), UNTIDY);
    let fixed = fs::read_to_string(good.path().join("main.cf")).expect("it is there");
    assert_eq!(fixed, TIDY, "the other directory is fixed");
}

const TABLE: &str = "a.example encrypt\nB.example may\nb.example may\nc.example may";

fn with_index(kind: &str) -> String {
    format!("smtp_tls_policy_maps = {kind}:/etc/postfix/tls_policy\n")
}

#[test]
fn the_index_of_a_fixed_table_is_built_again_or_nothing_is_changed() {
    lab::with_each(|postfix| {
        for kind in ["lmdb", "hash", "btree", "cdb"] {
            if !postfix.table_types.contains(kind) {
                continue;
            }
            let main_cf = with_index(kind);
            let files = [("main.cf", main_cf.as_bytes()), ("tls_policy", TABLE.as_bytes())];
            let lab = Lab::new(postfix, &files);
            let table = format!("{kind}:{}", lab.config_dir().join("tls_policy").display());
            assert!(lab.run("postmap", &[&table]).status.success(), "{kind}");
            let before = bytes_below(&lab.config_dir());
            let mut command = Command::new(env!("CARGO_BIN_EXE_postls"));
            command.env("PATH", "/nonexistent").args(["lint", "--fix", "-c"]).arg(lab.config_dir());
            if !Path::new("/usr/sbin/postmap").exists() {
                let (status, _, stderr) = output(&mut command);
                assert_eq!(status, 2, "{stderr}");
                assert_eq!(bytes_below(&lab.config_dir()), before);
            }
            let mut command = lab.outside(env!("CARGO_BIN_EXE_postls"));
            let (status, _, stderr) =
                output(command.args(["lint", "--fix", "-c"]).arg(lab.config_dir()));
            assert_eq!(status, 0, "{kind}: {stderr}");
            assert!(stderr.contains("fixed 2 findings in tls_policy"), "{kind}: {stderr}");
            let after = bytes_below(&lab.config_dir());
            let changed = before.iter().filter(|(name, bytes)| after[*name] != **bytes);
            let changed: Vec<&String> = changed.map(|(name, _)| name).collect();
            assert!(changed.iter().any(|it| it.ends_with("tls_policy")), "{kind}: {changed:?}");
            let is_young = |suffix: &str| {
                let modified = |name: &str| {
                    let path = lab.config_dir().join(name);
                    path.metadata().and_then(|it| it.modified()).ok()
                };
                let index = modified(&format!("tls_policy.{suffix}"));
                index.is_some_and(|it| Some(it) >= modified("tls_policy"))
            };
            assert!(
                ["lmdb", "db", "cdb"].into_iter().any(is_young),
                "{kind}: older than its source"
            );
            let query = |key: &str| lab.run("postmap", &["-q", key, &table]).stdout;
            assert_eq!(query("c.example"), b"may\n", "{kind}");
        }
    });
}

fn plan_of(directory: &Path, kind: &str) -> Plan {
    let read = |name: &str| fs::read(directory.join(name)).expect("it is there");
    let (main_cf, table) = (read("main.cf"), read("tls_policy"));
    let base = [("main.cf", &main_cf), ("tls_policy", &table)];
    let base = base.map(|(name, bytes)| plan::base(name, Some(bytes))).to_vec();
    let ended = |old: &[u8]| {
        let mut new = old.to_vec();
        if !new.ends_with(b"\n") {
            new.push(b'\n');
        }
        new
    };
    let file = |name: &str, old: &[u8], indexes, noticed| {
        let (name, old, new) = (name.to_owned(), old.to_vec(), ended(old));
        Fixed { name, old, new, indexes, noticed }
    };
    let files = vec![
        file("main.cf", &main_cf, Vec::new(), Noticed::OnReload),
        file("tls_policy", &table, vec![kind.to_owned()], Noticed::ByItself),
    ];
    of_fixes(files, base)
}

#[test]
fn a_fault_at_any_step_leaves_all_files_as_they_were_or_fixed() {
    let Some(postfix) = crate::judges::installed() else { return };
    for kind in ["lmdb", "hash"] {
        if postfix.table_types.contains(kind) {
            let main_cf = with_index(kind);
            let main_cf = main_cf.trim_end();
            let make = || directory(&[("main.cf", main_cf), ("tls_policy", TABLE)]);
            apply::every_fault_of(kind, &make, &|directory| plan_of(directory, kind));
        }
    }
}

#[test]
fn a_file_that_changed_meanwhile_is_left_alone() {
    let directory = directory(&[("main.cf", UNTIDY), ("tls_policy", "")]);
    let plan = plan_of(directory.path(), "texthash");
    fs::write(directory.path().join("tls_policy"), "x y\n").expect("it can be written");
    let before = bytes_below(directory.path());
    let options = apply::options(postls::apply::Reload::Never);
    let result = postls::apply::apply(&postls::host::System, directory.path(), &plan, &options);
    assert!(matches!(result, Err(postls::apply::Failure::Stale(_))));
    assert_eq!(bytes_below(directory.path()), before);
}
