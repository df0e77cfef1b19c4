//! Directories that apply changes, how they are before and after, and whether one of them is whole.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::bounded::{self, Ran};
use super::tree::{Entry, Tree, differences, nothing_is_left, tree, without_temporary_files};
use crate::judges::Judge;

/// One state of a configuration directory, and the policy file that is to be applied to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene {
    pub(super) name: &'static str,
    /// The lookup table type.
    pub(super) kind: &'static str,
    table: Table,
    main_cf: MainCf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Table {
    /// None, and no index.
    Missing,
    /// One that an earlier apply wrote.
    Applied,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MainCf {
    Changes,
    Stays,
    /// It changes, and is a symbolic link into another directory.
    Linked,
}

/// All scenes. The first has most steps.
const SCENES: &[Scene] = &[
    Scene {
        name: "an lmdb table with rows, main.cf changes",
        kind: "lmdb",
        table: Table::Applied,
        main_cf: MainCf::Changes,
    },
    Scene {
        name: "a fresh directory, texthash",
        kind: "texthash",
        table: Table::Missing,
        main_cf: MainCf::Changes,
    },
    Scene {
        name: "a fresh directory, lmdb",
        kind: "lmdb",
        table: Table::Missing,
        main_cf: MainCf::Changes,
    },
    Scene {
        name: "an lmdb table with rows, main.cf stays",
        kind: "lmdb",
        table: Table::Applied,
        main_cf: MainCf::Stays,
    },
    Scene {
        name: "a texthash table with rows, main.cf stays",
        kind: "texthash",
        table: Table::Applied,
        main_cf: MainCf::Stays,
    },
    Scene {
        name: "a hash table with rows, main.cf changes",
        kind: "hash",
        table: Table::Applied,
        main_cf: MainCf::Changes,
    },
    Scene {
        name: "a cdb table with rows, main.cf changes",
        kind: "cdb",
        table: Table::Applied,
        main_cf: MainCf::Changes,
    },
    Scene {
        name: "a linked main.cf, lmdb",
        kind: "lmdb",
        table: Table::Applied,
        main_cf: MainCf::Linked,
    },
];

const MAIN_CF: &str = "# a host\nmyhostname = mx.lab.test\nsmtp_tls_security_level = encrypt\n";

/// Nothing is lowered between the two: the default is encrypt.
const OLD_ROWS: &str = "{a.example: may, b.example: encrypt, c.example: encrypt}";
const NEW_ROWS: &str =
    "{a.example: encrypt, b.example: encrypt, d.example: {level: encrypt, ciphers: high}}";
const KEYS: [&str; 4] = ["a.example", "b.example", "c.example", "d.example"];
const KEYS_OF_BOTH: [&str; 2] = ["a.example", "b.example"];

/// A scene with its directory before the apply, and how that is afterwards.
pub(super) struct Prepared {
    pub(super) scene: Scene,
    template: TempDir,
    pub(super) old: Tree,
    pub(super) new: Tree,
    old_rows: String,
    new_rows: String,
    /// How many applies there were before.
    pub(super) generations_before: usize,
    seen: Mutex<HashSet<Vec<u8>>>,
}

/// Which of the files are the new ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) main_cf: Age,
    pub(super) table: Age,
    pub(super) index: Age,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    /// The file does not change, or is none.
    Same,
    Old,
    New,
}

/// A directory of one case.
pub(super) struct Case {
    path: PathBuf,
    // Removed with it.
    _directory: Option<TempDir>,
}

/// The scenes whose table type a Postfix has.
pub(super) fn of(postfix: &Judge) -> impl Iterator<Item = Scene> {
    let has = |it: &&Scene| it.kind == "texthash" || postfix.table_types.contains(it.kind);
    SCENES.iter().filter(has).copied()
}

/// A scene for each type of indexed table that a Postfix has.
pub(super) fn one_of_each_index(postfix: &Judge) -> impl Iterator<Item = Scene> {
    let of_kind = |kind: &str| of(postfix).find(|it| it.kind == kind);
    ["lmdb", "hash", "cdb"].into_iter().filter_map(of_kind)
}

impl Case {
    /// A directory that somebody else removes.
    pub(super) fn at(path: PathBuf) -> Case {
        Case { path, _directory: None }
    }

    /// The directory that everything of the case is below.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The configuration directory.
    pub(super) fn config(&self) -> PathBuf {
        self.path.join("etc")
    }

    /// A name for a file outside of what is looked at.
    pub(super) fn scratch(&self, name: &str) -> PathBuf {
        self.path.join(format!("scratch.{name}"))
    }
}

impl Scene {
    /// Makes the directory and applies the policy file once without disturbance.
    pub(super) fn prepare(self) -> Prepared {
        let template = tempfile::Builder::new().prefix("postls-faults-").tempdir();
        let template = template.expect("a temporary directory");
        let etc = template.path().join("etc");
        fs::create_dir(&etc).expect("it is writable");
        fs::write(etc.join("master.cf"), "").expect("it is writable");
        match self.main_cf {
            MainCf::Changes | MainCf::Stays => {
                fs::write(etc.join("main.cf"), MAIN_CF).expect("it is writable");
            }
            MainCf::Linked => {
                fs::create_dir(template.path().join("elsewhere")).expect("it is writable");
                fs::write(template.path().join("elsewhere/main.cf"), MAIN_CF).expect("writable");
                symlink("../elsewhere/main.cf", etc.join("main.cf")).expect("it is writable");
            }
        }
        age(&etc);
        if self.table == Table::Applied {
            self.write_policy(&etc, "{}", OLD_ROWS);
            succeed(&mut postls(&etc, &["apply"]));
            age(&etc);
        }
        let parameters = match self.main_cf {
            MainCf::Changes | MainCf::Linked => "{smtp_tls_loglevel: \"1\"}",
            MainCf::Stays => "{}",
        };
        self.write_policy(&etc, parameters, NEW_ROWS);
        let mut prepared = Prepared {
            scene: self,
            old: tree(template.path()),
            old_rows: rows(&etc, self.kind, &KEYS),
            template,
            new: Tree::new(),
            new_rows: String::new(),
            generations_before: usize::from(self.table == Table::Applied),
            seen: Mutex::default(),
        };
        let case = prepared.case();
        succeed(&mut postls(&case.config(), &["apply"]));
        prepared.new = tree(case.path());
        prepared.new_rows = rows(&case.config(), self.kind, &KEYS);
        assert_ne!(prepared.old, prepared.new, "there is something to do");
        prepared
    }

    fn write_policy(self, etc: &Path, parameters: &str, rows: &str) {
        let kind = self.kind;
        let text = format!(
            "version: 1\ntable: {{type: {kind}}}\nparameters: {parameters}\ndestinations: {rows}\n"
        );
        fs::write(etc.join("postls.yaml"), text).expect("it is writable");
    }

    /// Whether main.cf is a symbolic link. postconf puts a file in the place of one that it edits.
    pub(super) fn is_linked(self) -> bool {
        self.main_cf == MainCf::Linked
    }

    fn index(self) -> Option<&'static str> {
        match self.kind {
            "lmdb" => Some("etc/tls_policy.lmdb"),
            "hash" => Some("etc/tls_policy.db"),
            "cdb" => Some("etc/tls_policy.cdb"),
            _ => None,
        }
    }
}

impl Prepared {
    /// The directory before the apply, to be copied.
    pub(super) fn template(&self) -> &Path {
        self.template.path()
    }

    /// A fresh copy of the directory before the apply.
    pub(super) fn case(&self) -> Case {
        let directory = tempfile::Builder::new().prefix("postls-fault-").tempdir();
        let directory = directory.expect("a temporary directory");
        let mut command = Command::new("cp");
        command.arg("-a").arg(self.template.path().join(".")).arg(directory.path());
        succeed(&mut command);
        Case { path: directory.path().to_owned(), _directory: Some(directory) }
    }

    /// Which files are new. Each file must be the old or the new one, and Postfix must find all that it finds both
    /// before and after.
    pub(super) fn whole(&self, case: &Case) -> Result<State, String> {
        let now = tree(case.path());
        let pick = |name: &str| match (now.get(Path::new(name)), self.old.get(Path::new(name))) {
            (now, old) if now == old && old == self.new.get(Path::new(name)) => Ok(Age::Same),
            (now, old) if now == old => Ok(Age::Old),
            (now, _) if now == self.new.get(Path::new(name)) => Ok(Age::New),
            (now, _) => Err(format!("{name} is neither the old one nor the new one: {now:?}")),
        };
        let main_cf = match self.scene.main_cf {
            MainCf::Changes | MainCf::Stays => "etc/main.cf",
            MainCf::Linked => {
                pick("etc/main.cf")?;
                "elsewhere/main.cf"
            }
        };
        for name in ["etc/master.cf", "etc/postls.yaml"] {
            pick(name)?;
        }
        let (main_cf, table) = (pick(main_cf)?, pick("etc/tls_policy")?);
        // Two builds of an index may differ in bytes that say nothing.
        let index = match self.scene.index() {
            None => Age::Same,
            Some(name) if now.get(Path::new(name)) == self.old.get(Path::new(name)) => Age::Old,
            Some(name) => {
                let path = Path::new(name);
                let facts = |it: Option<&Entry>| it.map(|it| (it.mode, it.owner));
                if facts(now.get(path)) != facts(self.new.get(path)) {
                    return Err(format!("{name} has {:?}", facts(now.get(path))));
                }
                let rows = rows(&case.config(), self.scene.kind, &KEYS);
                if rows != self.new_rows {
                    return Err(format!("the index is neither the old nor the new one: {rows}"));
                }
                Age::New
            }
        };
        self.answers(case, &now)?;
        Ok(State { main_cf, table, index })
    }

    /// Asks Postfix, if it was not asked in the very same state.
    fn answers(&self, case: &Case, now: &Tree) -> Result<(), String> {
        let live = ["etc/main.cf", "elsewhere/main.cf", "etc/tls_policy"];
        let names = live.into_iter().chain(self.scene.index());
        let text = format!("{:?}", names.map(|it| now.get(Path::new(it))).collect::<Vec<_>>());
        let digest = Sha256::digest(text.as_bytes()).to_vec();
        if !self.seen.lock().expect("no thread panics with it").insert(digest) {
            return Ok(());
        }
        age(&case.config());
        let etc = case.config();
        let ran = bounded::run(postfix("postconf", &etc).args(["-hx", "smtp_tls_policy_maps"]));
        if ran.status != Some(0) || !ran.err.is_empty() {
            return Err(format!("postconf cannot read it: {ran:?}"));
        }
        let maps = ran.out.trim();
        if maps.is_empty() {
            return match self.scene.table {
                Table::Missing => Ok(()),
                Table::Applied => Err("main.cf names no table any more".to_owned()),
            };
        }
        for key in KEYS_OF_BOTH {
            let ran = bounded::run(postfix("postmap", &etc).args(["-q", key, maps]));
            if ran.status != Some(0) || ran.out.trim().is_empty() || !ran.err.is_empty() {
                return Err(format!("postmap -q {key} {maps}: {ran:?}"));
            }
        }
        Ok(())
    }

    /// How many states Postfix was asked about.
    pub(super) fn states(&self) -> usize {
        self.seen.lock().expect("no thread panicked").len()
    }

    /// Fails where a directory is not as it was before, but for what postls keeps for itself.
    pub(super) fn is_old(&self, case: &Case) -> Result<(), String> {
        differences(&self.old, &tree(case.path()), None)
    }

    /// Fails where a directory is not as it was before, but that an index was built again.
    pub(super) fn is_old_again(&self, case: &Case) -> Result<(), String> {
        differences(&self.old, &tree(case.path()), self.scene.index())?;
        let rows = rows(&case.config(), self.scene.kind, &KEYS);
        if self.table_is_missing() || rows == self.old_rows {
            Ok(())
        } else {
            Err(format!("the index holds {rows}"))
        }
    }

    fn table_is_missing(&self) -> bool {
        self.scene.table == Table::Missing
    }

    /// The same, where temporary files may be left.
    pub(super) fn is_old_but_for_temporary_files(&self, case: &Case) -> Result<(), String> {
        differences(&self.old, &without_temporary_files(tree(case.path())), None)
    }

    /// Fails where the files are not those of an undisturbed apply; temporary files may be left.
    pub(super) fn is_new_but_for_temporary_files(&self, case: &Case) -> Result<(), String> {
        let now = without_temporary_files(tree(case.path()));
        differences(&self.new, &now, self.scene.index())?;
        let rows = rows(&case.config(), self.scene.kind, &KEYS);
        if rows == self.new_rows { Ok(()) } else { Err(format!("the index holds {rows}")) }
    }

    /// Fails where a directory is not as an undisturbed apply leaves it.
    pub(super) fn is_new(&self, case: &Case) -> Result<(), String> {
        self.is_new_but_for_temporary_files(case)?;
        differences(&self.new, &tree(case.path()), self.scene.index())?;
        nothing_is_left(&case.config())
    }
}

/// A postls command for a directory.
pub(super) fn postls(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postls"));
    command.arg("-c").arg(directory).args(arguments);
    command
}

/// A program of Postfix for a directory.
pub(super) fn postfix(program: &str, directory: &Path) -> Command {
    let mut command = Command::new(program);
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/local/sbin:/usr/sbin:/sbin")).env("LC_ALL", "C");
    command.arg("-c").arg(directory);
    command
}

pub(super) fn succeed(command: &mut Command) -> Ran {
    let ran = bounded::run(command);
    assert_eq!(ran.status, Some(0), "{command:?}: {ran:?}");
    ran
}

/// Makes main.cf and master.cf ten seconds old: Postfix's programs wait for one that is younger than two.
pub(super) fn age(etc: &Path) {
    let then = SystemTime::now() - Duration::from_secs(10);
    for name in ["main.cf", "master.cf"] {
        if let Ok(file) = fs::File::options().append(true).open(etc.join(name)) {
            let _ = file.set_modified(then);
        }
    }
}

/// What Postfix finds in the table of a directory, which may be none.
pub(super) fn rows(etc: &Path, kind: &str, keys: &[&str]) -> String {
    // A directory of its own, which it need not wait for.
    let quiet = tempfile::tempdir().expect("a temporary directory");
    fs::write(quiet.path().join("main.cf"), "").expect("it is writable");
    age(quiet.path());
    let table = etc.join("tls_policy");
    let mut command = postfix("postmap", quiet.path());
    let mut named = OsString::from(format!("{kind}:"));
    named.push(table);
    command.args(["-q", "-"]).arg(named);
    let keys: String = keys.iter().flat_map(|it| [it, "\n"]).collect();
    let input = quiet.path().join("keys");
    fs::write(&input, keys).expect("it is writable");
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"input=$1; shift; exec "$@" <"$input""#, "sh"]).arg(&input);
    shell.arg(command.get_program()).args(command.get_args());
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ran = bounded::run(&mut shell);
    format!("{}{}", ran.out, ran.err)
}
