//! A temporary git repository, in which only its own settings count.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A repository with nothing in it.
pub(crate) struct Repository {
    scratch: TempDir,
}

/// What a command said: its exit status, standard output and standard error.
pub(crate) type Said = (Option<i32>, String, String);

impl Repository {
    pub(crate) fn new() -> Repository {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let repository = Repository { scratch };
        fs::create_dir(repository.path("top")).expect("it can be made");
        repository.git(&["init", "-q", "-b", "main"]);
        repository
    }

    /// A place in the directory that holds the repository, which is `top` there.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        let scratch = self.scratch.path().canonicalize().expect("it is there");
        scratch.join(name)
    }

    /// Writes a file of the work tree.
    pub(crate) fn write(&self, name: impl AsRef<Path>, text: &str) {
        let path = self.path("top").join(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("it can be made");
        fs::write(path, text).expect("it can be written");
    }

    /// Writes files and stages them.
    pub(crate) fn stage(&self, files: &[(&str, &str)]) {
        for (name, text) in files {
            self.write(name, text);
            self.git(&["add", "--", name]);
        }
    }

    /// Runs git, which must succeed.
    pub(crate) fn git(&self, arguments: &[impl AsRef<OsStr>]) {
        let output = self.command("git", "top").args(arguments).output().expect("git runs");
        assert!(output.status.success(), "{}", said(&output).2);
    }

    /// Runs postls in the repository.
    pub(crate) fn lint(&self, arguments: &[&str]) -> Said {
        self.lint_in("top", arguments)
    }

    /// Runs postls in a directory.
    pub(crate) fn lint_in(&self, directory: &str, arguments: &[&str]) -> Said {
        let mut command = self.command(env!("CARGO_BIN_EXE_postls"), directory);
        command.args(["lint", "--staged", "--postfix", "3.7", "--format", "short"]);
        said(&command.args(arguments).output().expect("it is built"))
    }

    /// A command in a directory of the one that holds the repository.
    pub(crate) fn command(&self, program: &str, directory: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.path(directory))
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| name == "PATH"))
            .env("HOME", self.path(""))
            .env("LC_ALL", "C.UTF-8")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CEILING_DIRECTORIES", self.path(""));
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "a")
                .env(format!("GIT_{role}_EMAIL"), "a@b.example");
        }
        command
    }
}

/// What a command said.
pub(crate) fn said(output: &Output) -> Said {
    let text = |it: &[u8]| String::from_utf8_lossy(it).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}
