//! What a host can be asked again, and its answers as they are noted.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::digest;
use crate::host::{Accounts, Host};

/// A question to a [`Host`]: one of its methods, with what it was given.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) enum Question {
    Read(PathBuf),
    Exists(PathBuf),
    Resolve(PathBuf),
    IsDirectory(PathBuf),
    Directories(PathBuf),
    Names(PathBuf),
    Matching(String),
    Attributes(PathBuf),
    User(String),
    Group(String),
    IsCopy,
    Program(String),
    Hostname,
    Addresses,
    Day,
    /// A program that gets no input.
    Run(String, Vec<String>),
}

/// What a host answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Answer {
    /// Bytes: how many, and their SHA-256.
    Bytes(u64, String),
    /// Anything else, in words.
    Words(String),
}

impl Answer {
    /// Of bytes that are at hand.
    pub(super) fn of_bytes(bytes: &[u8]) -> Answer {
        Answer::Bytes(bytes.len() as u64, digest(bytes))
    }

    /// Of bytes that could be had, or not.
    pub(super) fn of_read(read: &io::Result<Vec<u8>>) -> Answer {
        match read {
            Ok(bytes) => Answer::of_bytes(bytes),
            Err(error) => Answer::Words(format!("{:?}: {error}", error.kind())),
        }
    }

    /// Of anything that has words.
    pub(super) fn of(said: &impl std::fmt::Debug) -> Answer {
        Answer::Words(format!("{said:?}"))
    }
}

impl Question {
    /// What the host answers now.
    /// What the host answers now; `None`: there is no such question.
    pub(super) fn ask(&self, host: &dyn Host) -> Answer {
        match self {
            Question::Read(path) => Answer::of_read(&host.read(path)),
            Question::Exists(path) => Answer::of(&host.exists(path)),
            Question::Resolve(path) => Answer::of(&host.resolve(path)),
            Question::IsDirectory(path) => Answer::of(&host.is_directory(path)),
            Question::Directories(path) => Answer::of(&host.directories(path)),
            Question::Names(path) => Answer::of(&host.names(path)),
            Question::Matching(pattern) => Answer::of(&host.matching(pattern)),
            Question::Attributes(path) => Answer::of(&host.attributes(path)),
            Question::User(name) => Answer::of(&host.account(Accounts::Users, OsStr::new(name))),
            Question::Group(name) => Answer::of(&host.account(Accounts::Groups, OsStr::new(name))),
            Question::IsCopy => Answer::of(&host.is_copy()),
            Question::Program(name) => Answer::of_read(&host.program(name)),
            Question::Hostname => Answer::of(&host.hostname()),
            Question::Addresses => Answer::of(&host.addresses()),
            Question::Day => Answer::of(&host.unix_day()),
            Question::Run(program, arguments) => {
                let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
                let arguments: Vec<&OsStr> = arguments.iter().map(OsString::as_os_str).collect();
                Answer::of(&host.run(program, &arguments, b""))
            }
        }
    }

    /// Whether the answer may still be this one, as far as that can be told without reading files.
    pub(super) fn may_have(&self, answer: &Answer, host: &dyn Host) -> bool {
        match (self, answer) {
            (Question::Read(path), Answer::Bytes(size, _)) => {
                host.attributes(path).is_ok_and(|it| it.size == *size)
            }
            _ => true,
        }
    }

    /// Whether it is about what stands in this folder.
    pub(super) fn is_below(&self, folder: &Path) -> bool {
        match self {
            Question::Read(path)
            | Question::Exists(path)
            | Question::Resolve(path)
            | Question::IsDirectory(path)
            | Question::Directories(path)
            | Question::Names(path)
            | Question::Attributes(path) => path.starts_with(folder),
            Question::Matching(pattern) => Path::new(pattern).starts_with(folder),
            Question::User(_)
            | Question::Group(_)
            | Question::IsCopy
            | Question::Program(_)
            | Question::Hostname
            | Question::Addresses
            | Question::Day
            | Question::Run(..) => false,
        }
    }

    /// Whether the answer may be another one when this file is.
    pub(super) fn is_about(&self, file: &Path) -> bool {
        match self {
            Question::Read(path) | Question::Exists(path) | Question::Attributes(path) => {
                path == file
            }
            // A file that replaces another one has its name, and is what a link led to.
            Question::Resolve(_)
            | Question::IsDirectory(_)
            | Question::Directories(_)
            | Question::Names(_)
            | Question::Matching(_)
            | Question::User(_)
            | Question::Group(_)
            | Question::IsCopy
            | Question::Program(_)
            | Question::Hostname
            | Question::Addresses
            | Question::Day
            | Question::Run(..) => false,
        }
    }
}
