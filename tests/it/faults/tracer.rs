//! The calls of a program to the kernel, as strace(1) sees them, and faults at one of them.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::bounded::{self, Ran};

/// Calls that change a file system or read it, or start a program. With a question mark: not every machine has each.
const CALLS: &str = "?open,?openat,?creat,?write,?pwrite64,?writev,?pwritev,?fsync,?fdatasync,?sync_file_range,\
    ?rename,?renameat,?renameat2,?unlink,?unlinkat,?rmdir,?link,?linkat,?symlink,?symlinkat,?chmod,?fchmod,?fchmodat,\
    ?chown,?fchown,?lchown,?fchownat,?setxattr,?fsetxattr,?flock,?fcntl,?truncate,?ftruncate,?fallocate,?mkdir,\
    ?mkdirat,?utimensat,?copy_file_range,?sendfile,?clone,?clone3,?vfork,?fork,?execve,?read,?getdents64";

/// One call of an undisturbed run.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// The name of the call.
    pub(super) name: String,
    /// The how many-th call of this name it is, from 1.
    pub(super) nth: usize,
    /// What strace prints of it, with the paths of descriptors.
    pub(super) text: String,
    /// Of reading, the path: only calls for it are counted, since how often a pipe is read is another thing in each run.
    pub(super) only: Option<PathBuf>,
}

/// Whether strace is there and may do what is asked of it.
pub(super) fn usable() -> bool {
    static HINDRANCE: OnceLock<Option<String>> = OnceLock::new();
    let hindrance = HINDRANCE.get_or_init(|| {
        let mut command = Command::new("strace");
        command.args(["-qq", "-e", "trace=?execve", "-e", "inject=?unlink,?unlinkat:error=EIO"]);
        match command.arg("true").output() {
            Ok(output) if output.status.success() => None,
            Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Some(error.to_string()),
        }
    });
    if let Some(hindrance) = hindrance {
        let required = std::env::var_os("POSTLS_REQUIRE_TOOLS").is_some();
        assert!(!required, "POSTLS_REQUIRE_TOOLS is set, and strace: {hindrance}");
        println!("skipped: strace: {hindrance}");
    }
    hindrance.is_none()
}

/// The calls of a program's first thread, in their order. Those of its children are not there.
pub(super) fn calls(program: &Command, log: &Path) -> Vec<Call> {
    let mut command = Command::new("strace");
    command
        .args(["-qq", "-y", "-s", "80", "-e", "signal=none", "-e"])
        .arg(format!("trace={CALLS}"));
    command.arg("-o").arg(log).arg(program.get_program()).args(program.get_args());
    let ran = bounded::run(command.envs(envs(program)));
    let text = fs::read_to_string(log).expect("strace wrote it");
    assert!(ran.signal.is_none(), "{ran:?}\n{text}");
    let mut calls: Vec<Call> = Vec::new();
    for line in text.lines() {
        let Some((name, _)) = line.split_once('(') else { continue };
        let only = (name == "read").then(|| path_of_descriptor(line));
        let nth = 1 + calls.iter().filter(|it| it.name == name && it.only == only).count();
        calls.push(Call { name: name.to_owned(), nth, text: line.to_owned(), only });
    }
    calls
}

/// `/etc/x` of `read(3</etc/x>, …`.
fn path_of_descriptor(line: &str) -> PathBuf {
    let path = line.split_once('<').and_then(|(_, it)| it.split_once(">, "));
    PathBuf::from(path.map_or("", |(path, _)| path))
}

impl Call {
    /// Whether it can change a file, a lock, or which programs run, below a directory.
    pub(super) fn changes(&self, below: &Path) -> bool {
        let here = self.text.contains(below.to_str().expect("a plain name"));
        match self.name.as_str() {
            "clone" | "clone3" | "vfork" | "fork" => true,
            // The program's own start.
            "execve" | "read" | "getdents64" => false,
            "open" | "openat" => {
                here && ["O_CREAT", "O_WRONLY", "O_RDWR"].iter().any(|it| self.text.contains(it))
            }
            "fcntl" => here && self.text.contains("SETLK"),
            _ => here,
        }
    }

    /// Whether it reads a file or a directory below a directory.
    pub(super) fn reads(&self, below: &Path) -> bool {
        let here = self.text.contains(below.to_str().expect("a plain name"));
        let reads = ["open", "openat", "read", "getdents64"].contains(&self.name.as_str());
        // The name of a temporary file is another one in each run.
        here && reads && !(self.name == "read" && self.text.contains(".postls-"))
    }
}

/// What happens at a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// The process ends by a signal that it cannot catch, before the call is done.
    Kill,
    /// The call fails with this error and does nothing.
    Once(&'static str),
    /// It and all later ones of this name fail.
    FromThenOn(&'static str),
}

/// Words that make a program run with a fault at the n-th call of its first thread; strace's own output goes to `log`.
pub(super) fn words(fault: Fault, name: &str, nth: usize, log: &Path) -> Vec<String> {
    let inject = match fault {
        Fault::Kill => format!("inject={name}:signal=KILL:when={nth}"),
        Fault::Once(error) => format!("inject={name}:error={error}:when={nth}"),
        Fault::FromThenOn(error) => format!("inject={name}:error={error}:when={nth}+"),
    };
    let log = log.to_str().expect("a plain name");
    let trace = format!("trace={name}");
    ["strace", "-qq", "-y", "-e", "signal=none", "-e", &trace, "-e", &inject, "-o", log]
        .map(str::to_owned)
        .into()
}

/// Runs a program with a fault at one of its calls, which was made for the directory `was` and is now made for `is`.
pub(super) fn inject(
    program: &Command,
    fault: Fault,
    call: &Call,
    was: &Path,
    is: &Path,
    log: &Path,
) -> Ran {
    let words = words(fault, &call.name, call.nth, log);
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    if let Some(path) = call.only.as_deref().and_then(|it| it.strip_prefix(was).ok()) {
        command.arg("-P").arg(is.join(path));
    }
    command.arg(program.get_program()).args(program.get_args());
    bounded::run(command.envs(envs(program)))
}

/// Whether a log says that a call was disturbed.
pub(super) fn was_injected(log: &Path) -> bool {
    fs::read(log).is_ok_and(|it| String::from_utf8_lossy(&it).contains("(INJECTED"))
}

fn envs(program: &Command) -> impl Iterator<Item = (&OsStr, &OsStr)> {
    program.get_envs().filter_map(|(name, value)| Some((name, value?)))
}
