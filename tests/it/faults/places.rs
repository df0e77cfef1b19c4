//! Odd places: what a file has beside its bytes stays, whatever its name is; or apply refuses, with a reason.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::bounded::{self, Ran};
use super::scene::{age, postfix, postls, rows, succeed};
use super::tree::{Tree, differences, nothing_is_left, tree};
use crate::judges::{self, Judge};

/// A configuration directory somewhere, and an apply that has to change main.cf and to make a table.
pub(super) struct Place {
    pub(super) scratch: TempDir,
    pub(super) etc: PathBuf,
    pub(super) kind: &'static str,
}

/// What became of an apply there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Became {
    Kept,
    Refused,
}

pub(super) const MAIN_CF: &str = "# a host\nsmtp_tls_security_level = encrypt\n";

impl Place {
    pub(super) fn new(kind: &'static str) -> Place {
        Place::named(kind, OsStr::new("etc"))
    }

    /// In a directory with this name.
    pub(super) fn named(kind: &'static str, name: &OsStr) -> Place {
        let scratch = tempfile::Builder::new().prefix("postls-place-").tempdir();
        let scratch = scratch.expect("a temporary directory");
        fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o755)).expect("ours");
        let etc = scratch.path().join(name);
        fs::create_dir(&etc).expect("it is writable");
        fs::write(etc.join("main.cf"), MAIN_CF).expect("it is writable");
        fs::write(etc.join("master.cf"), "").expect("it is writable");
        age(&etc);
        let place = Place { scratch, etc, kind };
        place.want("{a.example: encrypt}");
        place
    }

    /// Writes the policy file.
    pub(super) fn want(&self, rows: &str) {
        let kind = self.kind;
        let text = format!(
            "version: 1\ntable: {{type: {kind}}}\nparameters: {{smtp_tls_loglevel: \"1\"}}\ndestinations: {rows}\n"
        );
        fs::write(self.etc.join("postls.yaml"), text).expect("it is writable");
    }

    pub(super) fn apply(&self) -> Ran {
        bounded::run(&mut postls(&self.etc, &["apply"]))
    }

    pub(super) fn tree(&self) -> Tree {
        tree(self.scratch.path())
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.etc.join(name)
    }

    /// Applied, whole, seen by Postfix, and idle from now on.
    pub(super) fn is_applied(&self, ran: &Ran) {
        assert_eq!(ran.status, Some(0), "{ran:?}");
        let main_cf = fs::read_to_string(self.path("main.cf")).expect("it is there");
        assert!(main_cf.contains("smtp_tls_loglevel = 1\n"), "{main_cf}");
        assert_eq!(rows(&self.etc, self.kind, &["a.example"]), "a.example\tencrypt\n");
        age(&self.etc);
        // A name that is no text cannot be taken from there.
        if self.etc.to_str().is_some() {
            let maps = ["-hx", "smtp_tls_policy_maps"];
            let maps = succeed(postfix("postconf", &self.etc).args(maps));
            let ask = ["-q", "a.example", maps.out.trim()];
            let found = succeed(postfix("postmap", &self.etc).args(ask));
            assert_eq!((found.out.as_str(), found.err.as_str()), ("encrypt\n", ""), "{maps:?}");
        }
        let again = bounded::run(&mut postls(&self.etc, &["apply", "--detailed-exitcode"]));
        assert_eq!(again.status, Some(0), "{again:?}");
        nothing_is_left(&self.etc).unwrap_or_else(|why| panic!("{why}"));
    }

    /// Refused for this reason, and everything is as it was.
    pub(super) fn is_refused(&self, ran: &Ran, before: &Tree, reasons: &[&str]) {
        assert!(matches!(ran.status, Some(2 | 3)), "{ran:?}");
        let named = reasons.iter().all(|it| ran.err.contains(it));
        assert!(named, "it says {reasons:?}: {ran:?}");
        differences(before, &self.tree(), None).unwrap_or_else(|why| panic!("{why}\n{ran:?}"));
    }
}

pub(super) fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        println!("skipped: this takes root");
    }
    root
}

/// The types to try: one that needs no index, and one that does.
fn kinds(postfix: &Judge) -> Vec<&'static str> {
    let has = |it: &&str| *it == "texthash" || postfix.table_types.contains(*it);
    ["texthash", "lmdb"].into_iter().filter(has).collect()
}

pub(super) fn report(what: &str, became: &[Became]) {
    let kept = became.iter().filter(|it| **it == Became::Kept).count();
    println!("places: {what}: {kept} kept, {} refused with a reason; 0 lost", became.len() - kept);
}

#[test]
fn owner_group_and_mode_stay() {
    let Some(postfix) = judges::installed() else { return };
    if !is_root() {
        return;
    }
    let mut became = Vec::new();
    for kind in kinds(postfix) {
        // A second apply, over files of another owner.
        let place = Place::new(kind);
        succeed(&mut postls(&place.etc, &["apply"]));
        let files: Vec<PathBuf> = fs::read_dir(&place.etc)
            .expect("it is there")
            .map(|it| it.expect("it can be listed").path())
            .filter(|it| it.is_file() && !it.ends_with("postls.yaml"))
            .collect();
        for file in &files {
            chown(file, Some(12), Some(34)).expect("root may");
            fs::set_permissions(file, fs::Permissions::from_mode(0o640)).expect("root may");
        }
        fs::write(place.path("main.cf"), MAIN_CF).expect("it is writable");
        age(&place.etc);
        place.want("{a.example: encrypt, b.example: encrypt}");
        if kind == "lmdb" {
            // postmap makes an index as the owner of the table, who may not make a file here.
            let before = place.tree();
            place.is_refused(&place.apply(), &before, &["Permission denied", "owns the table"]);
            became.push(Became::Refused);
            chown(&place.etc, Some(12), None).expect("root may");
        }
        place.is_applied(&place.apply());
        for file in &files {
            let it = file.metadata().expect("it is there");
            let facts = (it.uid(), it.gid(), it.mode() & 0o7777);
            assert_eq!(facts, (12, 34, 0o640), "{}", file.display());
        }
        became.push(Became::Kept);

        // New files of a directory with the set-group bit have its group.
        let place = Place::new(kind);
        chown(&place.etc, None, Some(34)).expect("root may");
        fs::set_permissions(&place.etc, fs::Permissions::from_mode(0o2755)).expect("root may");
        place.is_applied(&place.apply());
        let it = place.path("tls_policy").metadata().expect("it is there");
        assert_eq!((it.gid(), it.mode() & 0o7777), (34, 0o644));
        let it = place.path("main.cf").metadata().expect("it is there");
        assert_eq!(it.gid(), 0, "a file that was there keeps its group");
        assert_eq!(place.etc.metadata().expect("it is there").mode() & 0o7777, 0o2755);
        became.push(Became::Kept);

        // Postfix's daemons have to read what a careful root writes.
        let place = Place::new(kind);
        let mut shell = Command::new("sh");
        shell.args(["-c", r#"umask 077; exec "$@""#, "sh", env!("CARGO_BIN_EXE_postls"), "-c"]);
        place.is_applied(&bounded::run(shell.arg(&place.etc).arg("apply")));
        for name in ["main.cf", "tls_policy", "tls_policy.lmdb"] {
            if let Ok(it) = place.path(name).metadata() {
                assert_eq!(it.mode() & 0o7777, 0o644, "{name}");
            }
        }
        became.push(Became::Kept);

        // A new file would take one of two names from the old one.
        let place = Place::new(kind);
        let second = place.scratch.path().join("second");
        fs::hard_link(place.path("main.cf"), second).expect("the same file system");
        let before = place.tree();
        place.is_refused(&place.apply(), &before, &["main.cf has 2 names (hard links)"]);
        became.push(Became::Refused);
    }
    report("owner, group, mode, umask, second names", &became);
}

#[test]
fn access_lists_and_extended_attributes_stay() {
    let Some(postfix) = judges::installed() else { return };
    let there = ["setfacl", "getfacl", "setfattr", "getfattr"].iter().all(|it| {
        let found = Command::new(it).arg("--version").output().is_ok();
        if !found {
            println!("skipped: {it} is not at hand");
        }
        found
    });
    if !there || !is_root() {
        return;
    }
    let run = |program: &str, arguments: &[&str], path: &Path| {
        succeed(Command::new(program).args(arguments).arg(path)).out
    };
    let mut became = Vec::new();
    for kind in kinds(postfix) {
        let place = Place::new(kind);
        succeed(&mut postls(&place.etc, &["apply"]));
        fs::write(place.path("main.cf"), MAIN_CF).expect("it is writable");
        age(&place.etc);
        let index = place.path("tls_policy.lmdb");
        let mut files = vec![place.path("main.cf"), place.path("tls_policy")];
        files.extend(Some(index).filter(|it| it.exists()));
        for file in &files {
            run("setfacl", &["-m", "u:12:rw"], file);
            run("setfattr", &["-n", "user.note", "-v", "ours"], file);
        }
        place.want("{a.example: encrypt, b.example: encrypt}");
        place.is_applied(&place.apply());
        for file in &files {
            assert!(run("getfacl", &["-cnp"], file).contains("user:12:rw-"), "{}", file.display());
            let note = run("getfattr", &["--only-values", "-n", "user.note"], file);
            assert_eq!(note, "ours", "{}", file.display());
        }
        became.push(Became::Kept);

        // What the directory gives to new files is not for one that has none of it.
        let place = Place::new(kind);
        fs::set_permissions(place.path("main.cf"), fs::Permissions::from_mode(0o640))
            .expect("ours");
        run("setfacl", &["-d", "-m", "u:12:rw"], &place.etc);
        place.is_applied(&place.apply());
        let list = run("getfacl", &["-cnp"], &place.path("main.cf"));
        assert!(!list.contains("user:12"), "main.cf is as secret as it was:\n{list}");
        let list = run("getfacl", &["-cnp"], &place.path("tls_policy"));
        assert!(list.contains("user:12:rw-"), "a new file is as the directory says:\n{list}");
        became.push(Became::Kept);
    }
    report("access lists and extended attributes", &became);
}

#[test]
fn links_are_followed_and_stay() {
    let Some(postfix) = judges::installed() else { return };
    let mut became = Vec::new();
    for kind in kinds(postfix) {
        let place = Place::new(kind);
        let link = place.scratch.path().join("link");
        symlink("etc", &link).expect("it is writable");
        let ran = bounded::run(&mut postls(&link, &["apply"]));
        place.is_applied(&ran);
        assert!(link.is_symlink());
        became.push(Became::Kept);

        let place = Place::new(kind);
        fs::create_dir(place.path("real")).expect("it is writable");
        fs::rename(place.path("main.cf"), place.path("real/main.cf")).expect("it is writable");
        symlink("real/main.cf", place.path("main.cf")).expect("it is writable");
        place.is_applied(&place.apply());
        assert!(place.path("main.cf").is_symlink());
        became.push(Became::Kept);

        // Two names of one file would overwrite each other.
        let place = Place::new(kind);
        symlink("main.cf", place.path("tls_policy")).expect("it is writable");
        let before = place.tree();
        place.is_refused(
            &bounded::run(&mut postls(&place.etc, &["apply", "--adopt"])),
            &before,
            &[],
        );
        became.push(Became::Refused);
    }
    report("symbolic links", &became);
}

#[test]
fn any_name_will_do_or_is_refused() {
    let Some(postfix) = judges::installed() else { return };
    let mut became = Vec::new();
    for kind in kinds(postfix) {
        // A policy file may have any name.
        for name in
            [&b"my policy.yaml"[..], b"a\nb.yaml", b"caf\xe9.yaml", b"--adopt", b"\x1b[31m.yaml"]
        {
            let place = Place::new(kind);
            let policy = place.scratch.path().join(OsStr::from_bytes(name));
            fs::rename(place.path("postls.yaml"), &policy).expect("it is writable");
            let before = place.tree();
            let ran = bounded::run(postls(&place.etc, &["apply", "--"]).arg(&policy));
            if std::str::from_utf8(name).is_err() {
                place.is_refused(&ran, &before, &["its name is no UTF-8 text"]);
                became.push(Became::Refused);
                continue;
            }
            assert_eq!(ran.status, Some(0), "{ran:?}");
            assert_eq!(rows(&place.etc, kind, &["a.example"]), "a.example\tencrypt\n");
            age(&place.etc);
            let again = bounded::run(
                postls(&place.etc, &["apply", "--detailed-exitcode", "--"]).arg(&policy),
            );
            assert_eq!(again.status, Some(0), "{again:?}");
            let table = fs::read_to_string(place.path("tls_policy")).expect("it is text");
            let rows: Vec<&str> = table.lines().filter(|it| !it.starts_with('#')).collect();
            assert_eq!(rows, ["a.example encrypt"], "no name breaks out of its comment");
            became.push(Became::Kept);
        }
        // A directory whose name Postfix would take apart in main.cf, or not.
        for name in [&b"with space"[..], b"a,b", b"line\nfeed", b"caf\xe9", b"a$b", b"a;b", b"{a}"]
        {
            let place = Place::named(kind, OsStr::from_bytes(name));
            let before = place.tree();
            let ran = place.apply();
            if name.iter().any(|it| b" ,\n$".contains(it)) {
                place.is_refused(&ran, &before, &["takes such a list apart"]);
                became.push(Became::Refused);
            } else {
                place.is_applied(&ran);
                became.push(Became::Kept);
            }
        }
    }
    report("names with blanks, line feeds and bytes that are no text", &became);
}
