//! Every Postfix at hand, whatever its version: its programs are the judges of what postls reads and says.
//!
//! The installed one, and those in private roots: each directory in `POSTLS_POSTFIX_ROOTS`, by default
//! `~/.cache/postls`, that has `usr/sbin/postconf`. `tests/run` makes them. `POSTLS_REQUIRE_POSTFIX`
//! names versions that must be there (`3.5 3.7`).
//!
//! The programs of a private root run in it, and find the temporary files of the tests under the same
//! names as outside. That takes root, for chroot(2), and the right to make mount namespaces.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, FileTimes};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use postls::postfix::{Build, Version};
use tempfile::TempDir;

const PATH: &str = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin";

/// One Postfix.
#[derive(Debug)]
pub(crate) struct Judge {
    /// Its minor release.
    pub(crate) version: Version,
    /// `mail_version`, for example "3.7.11".
    pub(crate) full_version: String,
    /// What its postconf program says of itself.
    pub(crate) build: Build,
    /// What `postconf -m` lists.
    pub(crate) table_types: BTreeSet<String>,
    /// Where its sendmail(1) is.
    pub(crate) sendmail: String,
    /// The number of the user that it runs as.
    pub(crate) mail_owner: u32,
    /// `None`: the installed one.
    pub(crate) root: Option<PathBuf>,
}

/// A temporary directory with a main.cf and a master.cf for postconf and postmap.
#[derive(Debug)]
pub(crate) struct Chamber<'j> {
    judge: &'j Judge,
    directory: TempDir,
}

/// All of them, the oldest first; of two with the same version, one.
pub(crate) fn all() -> &'static [Judge] {
    static FOUND: OnceLock<Vec<Judge>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let roots = roots().into_iter().map(Some);
        let mut found: Vec<Judge> = std::iter::once(None).chain(roots).filter_map(judge).collect();
        // The installed one is first, and this sort is stable.
        found.sort_by_key(|it| it.version);
        found.dedup_by_key(|it| it.version);
        let versions: Vec<&str> = found.iter().map(|it| it.full_version.as_str()).collect();
        for wanted in required().split_whitespace() {
            let there = found.iter().any(|it| it.version.to_string() == wanted);
            assert!(there, "POSTLS_REQUIRE_POSTFIX asks for {wanted}; at hand: {versions:?}");
        }
        if found.is_empty() {
            println!("skipped: no Postfix is at hand");
        }
        found
    })
}

/// The one that postls finds by itself.
pub(crate) fn installed() -> Option<&'static Judge> {
    let installed = all().iter().find(|it| it.root.is_none());
    if installed.is_none() {
        assert_eq!(required(), "", "POSTLS_REQUIRE_POSTFIX is set, but no Postfix is installed");
        println!("skipped: no Postfix is installed");
    }
    installed
}

/// The versions that must be there, with blanks between them.
pub(crate) fn required() -> String {
    std::env::var("POSTLS_REQUIRE_POSTFIX").unwrap_or_default()
}

fn roots() -> Vec<PathBuf> {
    let home = || std::env::var_os("HOME").map(|it| PathBuf::from(it).join(".cache"));
    let cache = || std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
    let directory = std::env::var_os("POSTLS_POSTFIX_ROOTS")
        .map(PathBuf::from)
        .or_else(|| cache().map(|it| it.join("postls")));
    let entries = directory.and_then(|it| fs::read_dir(it).ok()).into_iter().flatten().flatten();
    let has_postfix = |root: &PathBuf| root.join("usr/sbin/postconf").is_file();
    let mut roots: Vec<PathBuf> = entries.map(|it| it.path()).filter(has_postfix).collect();
    roots.sort();
    roots
}

fn judge(root: Option<PathBuf>) -> Option<Judge> {
    let directory = configuration();
    let ask = |program: &str, arguments: &[&str]| -> Option<Vec<String>> {
        let output = command(root.as_deref(), program).args(arguments).output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
    };
    let at = directory.path().to_str().expect("a plain name");
    let names = ["mail_version", "sendmail_path", "mail_owner"];
    let said = ask("postconf", &[&["-c", at, "-dh"], &names[..]].concat())?;
    let [full_version, sendmail, mail_owner] = said.try_into().ok()?;
    let program = fs::read(postconf(root.as_deref())?).ok()?;
    Some(Judge {
        version: Version::parse(&full_version)?,
        full_version,
        build: Build::of_program(&program).expect("it says what it is"),
        table_types: ask("postconf", &["-c", at, "-m"])?.into_iter().collect(),
        sendmail,
        mail_owner: ask("id", &["-u", &mail_owner])?.first()?.parse().ok()?,
        root,
    })
}

/// The postconf program, from outside.
fn postconf(root: Option<&Path>) -> Option<PathBuf> {
    match root {
        Some(root) => Some(root.join("usr/sbin/postconf")),
        None => PATH.split(':').map(|it| Path::new(it).join("postconf")).find(|it| it.is_file()),
    }
}

/// A new directory with an empty main.cf and master.cf.
fn configuration() -> TempDir {
    let directory = tempfile::Builder::new().prefix("postls-judge-").tempdir();
    let directory = directory.expect("a temporary directory");
    write_old(&directory.path().join("main.cf"), b"");
    write_old(&directory.path().join("master.cf"), b"");
    directory
}

/// Writes a file, ten seconds old: Postfix's programs wait where a file is younger than two.
fn write_old(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("it can be written");
    let then = SystemTime::now() - Duration::from_secs(10);
    let file = File::options().write(true).open(path).expect("it was written");
    file.set_times(FileTimes::new().set_modified(then).set_accessed(then)).expect("it is ours");
}

/// Enters root $1, where directory $2 is to be the same as outside, and runs the rest there.
///
/// The mount is in a namespace of its own and ends with the program.
const ENTER: &str = r#"root=$1 shared=$2 here=$PWD
shift 2
mkdir -p "$root$shared" && mount --rbind "$shared" "$root$shared" || exit
[ -d "$root$here" ] || here=/
exec chroot "$root" env --chdir="$here" "$@""#;

fn command(root: Option<&Path>, program: impl AsRef<OsStr>) -> Command {
    let mut command = match root {
        None => Command::new(program),
        Some(root) => {
            let mut words = entry(root).into_iter();
            let mut command = Command::new(words.next().expect("it has words"));
            command.args(words).arg(program);
            command
        }
    };
    command.env("PATH", PATH).env("LC_ALL", "C").stdin(Stdio::null());
    command
}

/// The words before a command that make it one in the root.
fn entry(root: &Path) -> Vec<OsString> {
    let words =
        ["unshare", "--mount", "--propagation", "private", "--", "sh", "-c", ENTER, "enter"];
    let mut words: Vec<OsString> = words.map(OsString::from).into();
    words.extend([root.into(), std::env::temp_dir().into()]);
    words
}

impl Judge {
    /// One of its programs, or one that stands beside it.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        command(self.root.as_deref(), program)
    }

    /// Writes programs into a directory: with that at the head of PATH, who calls Postfix's programs by
    /// their names calls this one's. The installed ones need nothing.
    pub(crate) fn write_programs(&self, directory: &Path) {
        let Some(root) = &self.root else { return };
        let words: Vec<String> = entry(root)
            .iter()
            .map(|it| format!("'{}'", it.to_str().expect("a root with a plain name")))
            .collect();
        for program in ["postconf", "postmap", "postfix"] {
            let path = directory.join(program);
            // Not the path that leads here.
            let enter = words.join(" ");
            let script = format!("#!/bin/sh\nPATH={PATH}\nexec {enter} {program} \"$@\"\n");
            fs::write(&path, script).expect("the directory is writable");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
        }
    }

    /// A new directory with an empty main.cf and master.cf.
    pub(crate) fn chamber(&self) -> Chamber<'_> {
        Chamber { judge: self, directory: configuration() }
    }
}

impl Chamber<'_> {
    /// The directory.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file that Postfix's programs need not wait for.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("it stands in the directory")).expect("writable");
        write_old(&path, bytes);
    }

    /// Runs a shell script in the directory.
    pub(crate) fn shell(&self, script: &str) -> Output {
        let mut command = self.judge.command("sh");
        command.current_dir(self.path()).args(["-c", script]).output().expect("sh ran before")
    }

    /// Runs shell scripts in the directory, many at a time: a program of Postfix that gives up
    /// sleeps for a second before it does.
    pub(crate) fn side_by_side(&self, scripts: impl Iterator<Item = String>) {
        let scripts: Vec<String> = scripts.map(|it| format!("( {it} ) &\n")).collect();
        for scripts in scripts.chunks(40) {
            self.shell(&format!("{}wait", scripts.concat()));
        }
    }

    /// Runs postconf or postmap on a directory below this one (`.` for itself), which is its
    /// working directory as well.
    pub(crate) fn run_in(&self, below: &str, program: &str, arguments: &[&str]) -> Output {
        let directory = match below {
            "." => self.path().to_owned(),
            below => self.path().join(below),
        };
        let mut command = self.judge.command(program);
        command.current_dir(&directory).arg("-c").arg(&directory);
        command.args(arguments).output().expect("it ran before")
    }
}

/// Says which versions are judges, and fails where one that must be there is not.
#[test]
fn the_postfix_versions_that_judge() {
    for judge in all() {
        let place = judge.root.as_ref().map_or("installed".into(), |it| it.to_string_lossy());
        println!("Postfix {} ({place})", judge.full_version);
        let chamber = judge.chamber();
        for below in [".", "below"] {
            chamber.write(&format!("{below}/main.cf"), b"mydomain = test\n");
            chamber.write(&format!("{below}/master.cf"), b"");
            let output = chamber.run_in(below, "postconf", &["-h", "mydomain"]);
            assert_eq!(String::from_utf8_lossy(&output.stdout), "test\n", "{output:?}");
        }
    }
}

/// Programs that are called by name are those of the root, also where they are called from a directory that it does not have.
#[test]
fn programs_of_another_postfix_can_stand_in_the_path() {
    for judge in all() {
        let chamber = judge.chamber();
        judge.write_programs(chamber.path());
        let path = format!("{}:{}", chamber.path().display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("postconf");
        command.env("PATH", path).arg("-c").arg(chamber.path()).args(["-dh", "mail_version"]);
        let output = command.output().expect("it is there");
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), judge.full_version);
    }
}
