//! Every Postfix at hand, whatever its version: postconf and postmap as judges of what postls reads.
//!
//! The installed one, and those in private roots: each directory in `POSTLS_POSTFIX_ROOTS`, by default
//! `~/.cache/postls`, that has `usr/sbin/postconf`. `tests/run` makes them. To use the latter takes
//! root, for chroot(2). `POSTLS_REQUIRE_POSTFIX` names versions that must be there (`3.5 3.7`).

use std::ffi::OsString;
use std::fs::{self, File, FileTimes};
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
    /// `None`: the installed one.
    root: Option<PathBuf>,
}

/// A directory that a judge's programs can see.
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
        require(&found);
        if found.is_empty() {
            println!("skipped: no Postfix is at hand");
        }
        found
    })
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
    let mut judge = Judge { version: Version::NEWEST, full_version: String::new(), root };
    let chamber = judge.try_chamber()?;
    let output = chamber.try_run("postconf", &["-dh", "mail_version"])?;
    let full_version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    drop(chamber);
    judge.version = Version::parse(&full_version)?;
    judge.full_version = full_version;
    Some(judge)
}

/// Fails where a version that `POSTLS_REQUIRE_POSTFIX` names is not there.
fn require(found: &[Judge]) {
    let wanted = std::env::var("POSTLS_REQUIRE_POSTFIX").unwrap_or_default();
    for wanted in wanted.split_whitespace() {
        let there = found.iter().any(|it| it.version.to_string() == wanted);
        assert!(there, "POSTLS_REQUIRE_POSTFIX asks for Postfix {wanted}; at hand: {found:?}");
    }
}

impl Judge {
    /// The postconf program, from outside.
    pub(crate) fn postconf(&self) -> PathBuf {
        match &self.root {
            Some(root) => root.join("usr/sbin/postconf"),
            None => PATH
                .split(':')
                .map(|it| Path::new(it).join("postconf"))
                .find(|it| it.is_file())
                .expect("it ran before"),
        }
    }

    /// What that program says of itself.
    pub(crate) fn build(&self) -> Build {
        let program = fs::read(self.postconf()).expect("it can be read");
        Build::of_program(&program).expect("it says what it is")
    }

    /// A new directory with an empty main.cf and master.cf.
    pub(crate) fn chamber(&self) -> Chamber<'_> {
        self.try_chamber().expect("it could be made before")
    }

    fn try_chamber(&self) -> Option<Chamber<'_>> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("postls-judge-");
        let directory = match &self.root {
            None => builder.tempdir(),
            Some(root) => builder.tempdir_in(root.join("tmp")),
        };
        let chamber = Chamber { judge: self, directory: directory.ok()? };
        chamber.write("main.cf", b"");
        chamber.write("master.cf", b"");
        Some(chamber)
    }
}

impl Chamber<'_> {
    /// The directory, from outside.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The directory as the judge's programs name it.
    pub(crate) fn inner_path(&self) -> PathBuf {
        match &self.judge.root {
            None => self.path().to_owned(),
            Some(root) => {
                Path::new("/").join(self.path().strip_prefix(root).expect("it stands in the root"))
            }
        }
    }

    /// Writes a file, ten seconds old: Postfix's programs wait where a file is younger than two.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("it stands in the directory")).expect("writable");
        fs::write(&path, bytes).expect("it can be written");
        let then = SystemTime::now() - Duration::from_secs(10);
        let file = File::options().write(true).open(&path).expect("it was written");
        file.set_times(FileTimes::new().set_modified(then).set_accessed(then)).expect("it is ours");
    }

    /// Runs a shell script in the directory.
    pub(crate) fn shell(&self, script: &str) -> Output {
        let mut command = self.command(".", "sh");
        command.args(["-c", script]).output().expect("sh ran before")
    }

    /// Runs postconf or postmap on a directory below this one (`.` for itself), which is its
    /// working directory as well.
    pub(crate) fn run_in(&self, below: &str, program: &str, arguments: &[&str]) -> Output {
        self.output(below, program, arguments).expect("it ran before")
    }

    fn try_run(&self, program: &str, arguments: &[&str]) -> Option<Output> {
        self.output(".", program, arguments).ok().filter(|it| it.status.success())
    }

    fn output(&self, below: &str, program: &str, arguments: &[&str]) -> std::io::Result<Output> {
        let mut command = self.command(below, program);
        command.arg("-c").arg(self.inner(below)).args(arguments).output()
    }

    fn inner(&self, below: &str) -> PathBuf {
        match below {
            "." => self.inner_path(),
            below => self.inner_path().join(below),
        }
    }

    fn command(&self, below: &str, program: &str) -> Command {
        let directory = self.inner(below);
        let mut command = match &self.judge.root {
            None => {
                let mut command = Command::new(program);
                command.current_dir(&directory);
                command
            }
            Some(root) => {
                let mut chdir = OsString::from("--chdir=");
                chdir.push(&directory);
                let mut command = Command::new("chroot");
                command.arg(root).arg("env").arg(chdir).arg(program);
                command
            }
        };
        command.env("PATH", PATH);
        command.env("LC_ALL", "C").stdin(Stdio::null());
        command
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
