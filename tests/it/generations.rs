//! What postls keeps of what it changes: history, the way back, and who may read it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use crate::judges;

const MAIN_CF: &str = "# a comment\nsmtp_tls_security_level = may\n";

/// A directory with a policy file, and the program in it.
struct Place(TempDir);

impl Place {
    fn new() -> Place {
        let place = Place(tempfile::tempdir().expect("a temporary directory"));
        place.write("main.cf", MAIN_CF);
        place
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    /// Postfix's programs wait until main.cf is two seconds old.
    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("it is ours");
        self.age(name);
    }

    fn age(&self, name: &str) {
        let file = fs::File::options().append(true).open(self.path(name)).expect("it is there");
        file.set_modified(SystemTime::now() - Duration::from_secs(10)).expect("ours");
    }

    fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.path(name)).ok()
    }

    fn policy(&self, destinations: &str) {
        let text =
            format!("version: 1\ntable: {{type: texthash}}\ndestinations: {{{destinations}}}\n");
        self.write("postls.yaml", &text);
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postls"));
        command.args(arguments).arg("-c").arg(self.0.path()).env_remove("MAIL_CONFIG");
        command.output().expect("it is built")
    }

    /// Runs it, and holds its exit status against `status`: what it said.
    fn postls(&self, arguments: &[&str], status: i32) -> String {
        let output = self.run(arguments);
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {said}");
        if self.path("main.cf").exists() {
            self.age("main.cf");
        }
        said
    }

    fn apply(&self, destinations: &str) {
        self.policy(destinations);
        self.postls(&["apply", "--allow-downgrade", "all"], 0);
    }
}

#[test]
fn each_generation_comes_back_byte_for_byte() {
    let place = Place::new();
    let state = || ["main.cf", "tls_policy"].map(|it| place.read(it));
    let mut states = vec![state()];
    for destinations in ["a.example: may", "a.example: encrypt", "b.example: encrypt"] {
        place.apply(destinations);
        states.push(state());
    }
    assert_eq!(states[0][1], None, "there was no table");
    let mut number = 3;
    for back in [1, 3, 0, 2, 3] {
        place.postls(&["rollback", &back.to_string()], 0);
        assert_eq!(state(), states[back], "rollback {back}");
        number += 1;
        states.push(states[back].clone());
        // The way back is a generation too, and it leads where it leads.
        let history = place.postls(&["history"], 0);
        let wanted = format!("   {number}  ");
        assert!(
            history.starts_with(&wanted) && history.contains(&format!("rollback {back}: ")),
            "{history}"
        );
    }
    // Without a number: the one before.
    place.postls(&["rollback"], 0);
    assert_eq!(state(), states[7]);
    place.postls(&["rollback"], 0);
    assert_eq!(state(), states[8], "and back again");
    let said = place.postls(&["rollback", "10"], 0);
    assert!(said.contains("nothing to change"), "{said}");
    let said = place.postls(&["rollback", "11"], 2);
    assert!(said.contains("there are generations from 0 to 10; not 11"), "{said}");
}

/// Without smtputf8_enable, postmap leaves letters beyond ASCII as they are.
#[test]
fn keys_of_other_letters_come_back_whatever_postmap_folds() {
    let Some(postfix) = judges::installed() else { return };
    let table = "\u{c4}.example encrypt\nB.example encrypt\n";
    for utf8 in ["no", "yes"] {
        for kind in ["lmdb", "hash", "cdb"].iter().filter(|it| postfix.table_types.contains(**it)) {
            let place = Place::new();
            let main_cf = format!(
                "{MAIN_CF}smtputf8_enable = {utf8}\nsmtp_tls_policy_maps = {kind}:$config_directory/tls_policy\n"
            );
            place.write("main.cf", &main_cf);
            place.write("tls_policy", table);
            let of = format!("{kind}:{}", place.path("tls_policy").display());
            let ran = Command::new("postmap").arg("-c").arg(place.0.path()).arg(of).output();
            assert!(ran.expect("it is installed").status.success());
            let policy = |a: &str, b: &str| {
                let rows = format!("\u{e4}.example: {a}, b.example: {b}");
                place.write(
                    "postls.yaml",
                    &format!("version: 1\ntable: {{type: {kind}}}\ndestinations: {{{rows}}}\n"),
                );
            };
            policy("encrypt", "encrypt");
            let said = place.postls(&["apply"], 0);
            assert!(said.contains("nothing to change"), "{kind} {utf8}: {said}");
            policy("encrypt", "may");
            place.postls(&["apply", "--allow-downgrade", "all"], 0);
            place.postls(&["rollback", "0"], 0);
            assert_eq!(place.read("tls_policy").as_deref(), Some(table), "{kind} {utf8}");
        }
    }
}

#[test]
fn history_shows_what_was_changed_and_why() {
    let place = Place::new();
    let said = place.postls(&["history"], 0);
    assert!(said.contains("has changed nothing"), "{said}");
    assert!(!place.path(".postls").exists(), "looking leaves nothing behind");
    place.apply("a.example: may");
    place.postls(&["rollback", "0", "--reason", "it was Friday"], 0);
    let said = place.postls(&["history"], 0);
    assert!(said.contains("because: it was Friday"), "{said}");
    let said = place.postls(&["history", "1"], 0);
    assert!(said.contains("+a.example may") && said.contains("+++ tls_policy"), "{said}");
    let said = place.postls(&["history", "3"], 2);
    assert!(said.contains("there is no generation 3"), "{said}");
}

#[test]
fn what_others_have_changed_since_is_not_lost() {
    let place = Place::new();
    place.apply("a.example: may");
    let edited = place.read("main.cf").expect("it is there") + "myhostname = mx.example\n";
    place.write("main.cf", &edited);
    let said = place.postls(&["rollback"], 2);
    assert!(said.contains("somebody else has changed main.cf since"), "{said}");
    assert_eq!(place.read("main.cf").as_ref(), Some(&edited));
    // What the way back does not touch may have changed.
    place.apply("a.example: encrypt");
    place.postls(&["rollback", "1"], 0);
    assert_eq!(place.read("main.cf"), Some(edited));
    place.postls(&["rollback", "0", "--discard-changes"], 0);
    assert_eq!(place.read("main.cf").as_deref(), Some(MAIN_CF));
    // To the last one: what postls left, whatever others have made of it.
    place.write("main.cf", "# gone\n");
    place.postls(&["rollback", "4"], 2);
    place.postls(&["rollback", "4", "--discard-changes"], 0);
    assert_eq!(place.read("main.cf").as_deref(), Some(MAIN_CF));
}

#[test]
fn only_so_many_generations_are_kept_with_the_bytes_that_they_need() {
    let place = Place::new();
    for round in 0..6 {
        place.policy(&format!("a{round}.example: may"));
        place.postls(&["apply", "--keep", "3", "--allow-downgrade", "all"], 0);
    }
    let names = |folder: &str| {
        let entries = fs::read_dir(place.path(".postls").join(folder)).expect("it is there");
        let mut names: Vec<String> = entries
            .map(|it| it.expect("it can be listed").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("generations"), ["4.json", "5.json", "6.json"]);
    // Four states of the table; main.cf has not changed since the first.
    assert_eq!(names("objects").len(), 4);
    let said = place.postls(&["rollback", "2"], 2);
    assert!(said.contains("there are generations from 3 to 6"), "{said}");
    place.postls(&["rollback", "3"], 0);
    assert!(place.read("tls_policy").expect("it is there").contains("a2.example"));
}

#[test]
fn nobody_else_may_read_what_is_kept() {
    let place = Place::new();
    place.write("main.cf", "smtp_tls_security_level = may\n");
    fs::set_permissions(place.path("main.cf"), fs::Permissions::from_mode(0o600)).expect("ours");
    place.apply("a.example: may");
    let mut open = vec![place.path(".postls")];
    while let Some(path) = open.pop() {
        let mode = path.metadata().expect("it is there").permissions().mode() & 0o7777;
        if path.is_dir() {
            assert_eq!(mode, 0o700, "{}", path.display());
            let entries = fs::read_dir(&path).expect("ours");
            open.extend(entries.map(|it| it.expect("it can be listed").path()));
        } else {
            assert_eq!(mode, 0o600, "{}", path.display());
        }
    }
    assert_eq!(place.path("main.cf").metadata().expect("ours").permissions().mode() & 0o777, 0o600);
    // A secret file that is gone is not made again for everybody.
    fs::remove_file(place.path("main.cf")).expect("ours");
    let said = place.postls(&["rollback", "0", "--discard-changes"], 2);
    assert!(said.contains("put it back by hand from"), "{said}");
}

#[test]
fn what_is_kept_may_be_damaged_and_that_is_said() {
    let place = Place::new();
    place.apply("a.example: may");
    place.apply("a.example: encrypt");
    let before = place.read("tls_policy");
    for object in fs::read_dir(place.path(".postls/objects")).expect("ours") {
        fs::write(object.expect("it can be listed").path(), "x").expect("ours");
    }
    let said = place.postls(&["rollback"], 2);
    assert!(said.contains("is damaged"), "{said}");
    assert_eq!(place.read("tls_policy"), before);
    fs::write(place.path(".postls/generations/2.json"), "{").expect("ours");
    let said = place.postls(&["history"], 2);
    assert!(said.contains("generations/2.json"), "{said}");
    fs::write(place.path(".postls/journal.json"), "{").expect("ours");
    place.policy("c.example: may");
    let said = place.postls(&["apply", "--adopt", "--allow-downgrade", "all"], 2);
    assert!(said.contains("journal.json"), "{said}");
    assert_eq!(place.read("tls_policy"), before);
}

/// Somebody who may write to the directory could lead us elsewhere.
#[test]
fn a_store_of_somebody_else_is_refused() {
    let elsewhere = tempfile::tempdir().expect("a temporary directory");
    let makes: [&dyn Fn(&Path); 3] = [
        &|store| symlink(elsewhere.path(), store).expect("ours"),
        &|store| fs::write(store, "").expect("ours"),
        &|store| {
            fs::create_dir(store).expect("ours");
            fs::set_permissions(store, fs::Permissions::from_mode(0o777)).expect("ours");
        },
    ];
    for make in makes {
        let place = Place::new();
        make(&place.path(".postls"));
        place.policy("a.example: may");
        let said = place.postls(&["apply"], 2);
        assert!(said.contains(".postls: "), "{said}");
        assert_eq!(place.read("main.cf").as_deref(), Some(MAIN_CF));
        assert_eq!(fs::read_dir(elsewhere.path()).expect("ours").count(), 0);
    }
}
