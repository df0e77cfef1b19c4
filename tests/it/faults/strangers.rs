//! Directories that somebody else has a hand in, or that nobody may write to; files that are elsewhere.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::Path;
use std::process::Command;

use super::bounded::{self, Ran};
use super::places::{Became, MAIN_CF, Place, is_root, report};
use super::scene::{postls, rows, succeed};
use super::tree::{differences, nothing_is_left};
use crate::judges;

/// Puts something where ours should be.
type Plant<'p> = &'p dyn Fn(&Place);

/// As user nobody.
fn as_nobody(etc: &Path, arguments: &[&str]) -> Ran {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    // The program may stand where only root may look.
    let copy = etc.parent().expect("it has one").join("scratch.postls");
    fs::copy(env!("CARGO_BIN_EXE_postls"), &copy).expect("it is writable");
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).expect("it is ours");
    bounded::run(command.arg(copy).arg("-c").arg(etc).args(arguments))
}

#[test]
fn who_may_not_write_is_told_so() {
    let Some(_) = judges::installed() else { return };
    if !is_root() {
        return;
    }
    let mut became = Vec::new();
    let place = Place::new("texthash");
    let before = place.tree();
    let ran = as_nobody(&place.etc, &["apply"]);
    differences(&before, &place.tree(), None).expect("nothing changed");
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.err.contains("Permission denied"), "{ran:?}");
    became.push(Became::Refused);
    // A plan with nothing to do needs no right.
    succeed(&mut postls(&place.etc, &["apply"]));
    for command in [&["apply"][..], &["diff"], &["lint", "--fail-on", "never"]] {
        let ran = as_nobody(&place.etc, command);
        assert_eq!(ran.status, Some(0), "{command:?}: {ran:?}");
    }
    became.push(Became::Kept);

    // The administrator of a directory need not be root.
    let place = Place::new("texthash");
    for path in [&place.etc, &place.path("main.cf"), &place.path("postls.yaml")] {
        chown(path, Some(65534), Some(65534)).expect("root may");
    }
    place.is_applied(&as_nobody(&place.etc, &["apply"]));
    became.push(Became::Kept);
    report("rights of others than root", &became);
}

#[test]
fn immutable_files_are_put_back_around() {
    let Some(postfix) = judges::installed() else { return };
    if !is_root() {
        return;
    }
    let mut became = Vec::new();
    let kind = if postfix.table_types.contains("lmdb") { "lmdb" } else { "texthash" };
    for name in ["main.cf", "."] {
        let place = Place::new(kind);
        succeed(&mut postls(&place.etc, &["apply"]));
        fs::write(place.path("main.cf"), MAIN_CF).expect("it is writable");
        super::scene::age(&place.etc);
        place.want("{a.example: encrypt, b.example: encrypt}");
        let before = place.tree();
        let set = Command::new("chattr").arg("+i").arg(place.path(name)).output();
        if !set.is_ok_and(|it| it.status.success()) {
            println!("skipped: no file can be made immutable here");
            return;
        }
        let ran = place.apply();
        succeed(Command::new("chattr").arg("-i").arg(place.path(name)));
        place.is_refused(&ran, &before, &["Operation not permitted"]);
        nothing_is_left(&place.etc).unwrap_or_else(|why| panic!("{why}"));
        place.is_applied(&place.apply());
        became.push(Became::Refused);
    }
    report("immutable files", &became);
}

#[test]
fn what_others_put_there_is_not_trusted() {
    let Some(_) = judges::installed() else { return };
    if !is_root() {
        return;
    }
    let mut became = Vec::new();
    // Writable by others: with and without the sticky bit.
    for mode in [0o777, 0o1777] {
        let place = Place::new("texthash");
        fs::set_permissions(&place.etc, fs::Permissions::from_mode(mode)).expect("it is ours");
        place.is_applied(&place.apply());
        became.push(Became::Kept);
    }
    // The place for our state is taken.
    let plant: [(&str, Plant<'_>); 4] = [
        ("a file", &|place| fs::write(place.path(".postls"), "mine").expect("writable")),
        ("a link", &|place| {
            let elsewhere = place.scratch.path().join("elsewhere");
            fs::create_dir(&elsewhere).expect("it is writable");
            symlink(elsewhere, place.path(".postls")).expect("it is writable");
        }),
        ("a directory of somebody else", &|place| {
            fs::create_dir(place.path(".postls")).expect("it is writable");
            fs::set_permissions(place.path(".postls"), fs::Permissions::from_mode(0o700))
                .expect("ours");
            chown(place.path(".postls"), Some(65534), None).expect("root may");
        }),
        ("a directory open to all", &|place| {
            fs::create_dir(place.path(".postls")).expect("it is writable");
            fs::set_permissions(place.path(".postls"), fs::Permissions::from_mode(0o777))
                .expect("ours");
        }),
    ];
    for (what, plant) in plant {
        let place = Place::new("texthash");
        plant(&place);
        let before = place.tree();
        let ran = place.apply();
        assert_eq!(ran.status, Some(2), "{what}: {ran:?}");
        place.is_refused(&ran, &before, &[".postls"]);
        let elsewhere = place.scratch.path().join("elsewhere");
        let empty = fs::read_dir(elsewhere).map_or(0, Iterator::count) == 0;
        assert!(empty, "{what}: nothing is written through it");
        became.push(Became::Refused);
    }
    // What is no lock file of Postfix's but has its name.
    let plant: [(&str, &[&str]); 3] = [
        ("a pipe", &["mkfifo", "main.cf.tmp"]),
        ("a link", &["ln", "-s", "/nowhere", "main.cf.tmp"]),
        ("an old file", &["touch", "main.cf.tmp"]),
    ];
    for (what, words) in plant {
        let place = Place::new("texthash");
        succeed(Command::new(words[0]).args(&words[1..]).current_dir(&place.etc));
        let ran = place.apply();
        assert_eq!(ran.status, Some(0), "{what}: {ran:?}");
        place.is_applied(&ran);
        assert!(!Path::new("/nowhere").exists());
        became.push(Became::Kept);
    }
    let place = Place::new("texthash");
    fs::create_dir(place.path("main.cf.tmp")).expect("it is writable");
    let before = place.tree();
    place.is_refused(&place.apply(), &before, &["main.cf.tmp"]);
    became.push(Became::Refused);
    report("what others put there", &became);
}

/// Runs a script in a mount namespace of its own: $1 is the configuration directory, $2 an empty directory, $3 postls.
fn mounted(place: &Place, script: &str) -> Option<Ran> {
    let other = place.scratch.path().join("scratch.other");
    fs::create_dir(&other).expect("it is writable");
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "--", "sh", "-c", script, "sh"]);
    command.arg(&place.etc).arg(other).arg(env!("CARGO_BIN_EXE_postls"));
    let ran = bounded::run(&mut command);
    if ran.status == Some(77) || ran.err.contains("unshare:") {
        assert_eq!(
            judges::required(),
            "",
            "POSTLS_REQUIRE_POSTFIX is set, and nothing can be mounted"
        );
        println!("skipped: nothing can be mounted: {}", ran.err.trim());
        return None;
    }
    Some(ran)
}

#[test]
fn other_file_systems() {
    let Some(postfix) = judges::installed() else { return };
    let mut became = Vec::new();
    let has = |it: &&str| *it == "texthash" || postfix.table_types.contains(*it);
    for kind in ["texthash", "lmdb"].into_iter().filter(has) {
        // main.cf is a link into another file system: the link stays, and what it leads to changes.
        let place = Place::new(kind);
        let script = r#"mount -t tmpfs none "$2" || exit 77
            cp -p "$1/main.cf" "$2/main.cf" && ln -sf "$2/main.cf" "$1/main.cf" || exit 78
            "$3" -c "$1" apply || exit
            [ -L "$1/main.cf" ] && cat "$2/main.cf" && ls -A "$2""#;
        let Some(ran) = mounted(&place, script) else { return };
        assert_eq!(ran.status, Some(0), "{ran:?}");
        assert!(ran.out.contains("smtp_tls_loglevel = 1\n"), "{ran:?}");
        assert_eq!(ran.out.lines().last(), Some("main.cf"), "{ran:?}");
        nothing_is_left(&place.etc).unwrap_or_else(|why| panic!("{why}"));
        became.push(Became::Kept);

        // The table's directory is another file system.
        let place = Place::new(kind);
        fs::create_dir(place.path("tables")).expect("it is writable");
        let policy = format!(
            "version: 1\ntable: {{type: {kind}, path: tables/tls_policy}}\nparameters: {{smtp_tls_loglevel: \"1\"}}\n\
             destinations: {{a.example: encrypt}}\n"
        );
        fs::write(place.path("postls.yaml"), policy).expect("it is writable");
        let script = r#"mount -t tmpfs none "$1/tables" || exit 77
            "$3" -c "$1" apply || exit
            cp -a "$1/tables/." "$2""#;
        let Some(ran) = mounted(&place, script) else { return };
        assert_eq!(ran.status, Some(0), "{ran:?}");
        let other = place.scratch.path().join("scratch.other");
        assert_eq!(rows(&other, kind, &["a.example"]), "a.example\tencrypt\n");
        nothing_is_left(&other).unwrap_or_else(|why| panic!("{why}"));
        became.push(Became::Kept);

        // Nothing can be written: refused; and where there is nothing to do, nothing is.
        let place = Place::new(kind);
        let before = super::tree::tree(&place.etc);
        let script = r#"mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit 77
            "$3" -c "$1" apply"#;
        let Some(ran) = mounted(&place, script) else { return };
        assert_eq!(ran.status, Some(2), "{ran:?}");
        assert!(ran.err.contains("Read-only file system"), "{ran:?}");
        assert!(ran.err.contains(place.etc.to_str().expect("a plain name")), "{ran:?}");
        differences(&before, &super::tree::tree(&place.etc), None).expect("nothing changed");
        became.push(Became::Refused);
        let place = Place::new(kind);
        succeed(&mut postls(&place.etc, &["apply"]));
        super::scene::age(&place.etc);
        let Some(ran) = mounted(&place, script) else { return };
        assert_eq!(ran.status, Some(0), "{ran:?}");
        became.push(Became::Kept);

        // One file of another file system in its place: nothing can be renamed onto it.
        let place = Place::new(kind);
        let before = super::tree::tree(&place.etc);
        let script = r#"cp -p "$1/main.cf" "$2/main.cf" && mount --bind "$2/main.cf" "$1/main.cf" || exit 77
            "$3" -c "$1" apply"#;
        let Some(ran) = mounted(&place, script) else { return };
        assert!(matches!(ran.status, Some(2 | 3)), "{ran:?}");
        assert!(ran.err.contains("main.cf") && ran.err.contains("busy"), "{ran:?}");
        differences(&before, &super::tree::tree(&place.etc), None).expect("nothing changed");
        nothing_is_left(&place.etc).unwrap_or_else(|why| panic!("{why}"));
        became.push(Became::Refused);
    }
    report("other file systems", &became);
}
