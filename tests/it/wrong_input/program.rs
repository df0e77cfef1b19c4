//! The program as a test runs it: with limits on its time and memory, and its output in files.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Seconds of processor time, far more than anything here needs, also in a debug build. It is not
/// the clock's: what else the machine does must not make a test fail.
const PROCESSOR_TIME: &str = "60";
/// For what waits without doing anything, on a machine that is as busy as can be.
const PATIENCE: Duration = Duration::from_secs(600);
/// Kibibytes of address space, as much as one line of 100 MB may need.
const MEMORY: &str = "3000000";
/// What the program did.
pub(super) struct Ran {
    pub(super) status: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Ran {
    #[track_caller]
    pub(super) fn exits(self, status: i32) -> Ran {
        let Ran { stdout, stderr, .. } = &self;
        assert_eq!(self.status, status, "stdout:\n{}\nstderr:\n{}", short(stdout), short(stderr));
        self
    }

    #[track_caller]
    pub(super) fn says(self, text: &str) -> Ran {
        let all = [self.stdout.as_str(), self.stderr.as_str()].concat();
        assert!(all.contains(text), "no \"{text}\" in:\n{}", short(&all));
        self
    }
}

pub(super) fn short(text: &str) -> String {
    text.chars().take(2000).collect()
}

pub(super) fn directory(files: &[(&str, &[u8])]) -> TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for (name, bytes) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().expect("it is in a directory")).expect("it can be made");
        fs::write(path, bytes).expect("it can be written");
    }
    directory
}

/// The program with limits on its memory and time; what it prints goes into files, so that it never waits for us.
pub(super) fn command(arguments: &[&OsStr], output: &Path) -> Command {
    let file = |name: &str| File::create(output.join(name)).expect("it can be written");
    let mut command = Command::new("sh");
    let limits = format!("ulimit -v {MEMORY} && ulimit -t {PROCESSOR_TIME} && exec \"$0\" \"$@\"");
    command.args(["-c", &limits, env!("CARGO_BIN_EXE_postls")]).args(arguments);
    command.env_remove("MAIL_CONFIG").env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    command.stdout(file("stdout")).stderr(file("stderr"));
    command
}

pub(super) fn finish(mut child: Child, output: &Path) -> Ran {
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("it is our child") {
            break status;
        }
        if start.elapsed() > PATIENCE {
            child.kill().expect("it is our child");
            child.wait().expect("it is our child");
            panic!("it hangs");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let text = |name: &str| {
        String::from_utf8_lossy(&fs::read(output.join(name)).expect("it is there")).into_owned()
    };
    let (stdout, stderr) = (text("stdout"), text("stderr"));
    assert!(!stderr.contains("panicked"), "{}", short(&stderr));
    // SIGXCPU, or SIGKILL a second later, is the limit on its time.
    let status =
        status.code().unwrap_or_else(|| panic!("signal {:?}: {}", status.signal(), short(&stderr)));
    Ran { status, stdout, stderr }
}

/// `postls SUBCOMMAND -c DIRECTORY …`
pub(super) fn postls(directory: &Path, arguments: &[&str]) -> Ran {
    let mut all: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
    all.extend(["--postfix", "3.7", "--color", "never", "-c"].map(OsStr::new));
    all.push(directory.as_os_str());
    let output = tempfile::tempdir().expect("a temporary directory");
    let child = command(&all, output.path()).spawn().expect("it can be started");
    finish(child, output.path())
}

/// Everything in a directory, links as such.
pub(super) fn content(directory: &Path) -> BTreeMap<OsString, Vec<u8>> {
    let entries = fs::read_dir(directory).expect("it is a directory");
    let bytes = |path: PathBuf| match fs::read_link(&path) {
        Ok(target) => target.into_os_string().as_bytes().to_vec(),
        Err(_) => fs::read(&path).unwrap_or_default(),
    };
    entries
        .map(|it| it.expect("it can be listed"))
        .map(|it| (it.file_name(), bytes(it.path())))
        .collect()
}

/// For directories with FIFOs, which cannot be read.
pub(super) fn content_names(directory: &Path) -> Vec<OsString> {
    let entries = fs::read_dir(directory).expect("it is a directory");
    let mut names: Vec<OsString> =
        entries.map(|it| it.expect("it is listed").file_name()).collect();
    names.sort();
    names
}

/// A text of many lines.
pub(super) fn many(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect()
}
