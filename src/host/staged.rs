//! A host whose files, as far as a git repository has them, are those that git has staged.
//!
//! What lies in the work tree does not count there; what lies outside of it is the machine's.
//!
//! Known limits: line ends are those that git keeps; of the filters between these contents and the
//! work tree only git-crypt and LFS are known.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::net::IpAddr;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use super::git::{self, Entry, Kind, Objects};
use super::{Accounts, Attributes, Host, Lock, Ran, System};

/// As many symbolic links as Linux follows.
pub(super) const MAX_LINKS: usize = 40;

/// This machine, with what git has staged in place of the work tree.
#[derive(Debug)]
pub struct Staged {
    machine: System,
    top: PathBuf,
    index: BTreeMap<PathBuf, Entry>,
    objects: Objects,
}

impl Staged {
    /// The repository that this process was started in, or why there is none.
    pub fn open() -> Result<Staged, String> {
        let machine = System;
        let top = git::top_level(&machine)?;
        let index = git::index(&machine)?;
        let objects = Objects::open().map_err(|error| format!("git: {error}"))?;
        Ok(Staged { machine, top, index, objects })
    }

    /// The directory of the work tree.
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// The directories that have a file of one of these names, sorted.
    pub fn directories_with(&self, names: &[&str]) -> Vec<PathBuf> {
        let has_name = |path: &&PathBuf| {
            path.file_name().is_some_and(|it| names.iter().any(|name| it == OsStr::new(name)))
        };
        let files = self.index.keys().filter(has_name);
        let mut found: Vec<PathBuf> =
            files.filter_map(|it| it.parent()).map(|it| self.top.join(it)).collect();
        found.sort();
        found.dedup();
        found
    }

    /// What there is under a name in the work tree.
    fn entry(&self, inside: &Path) -> There<'_> {
        if inside.as_os_str().is_empty() {
            return There::Directory;
        }
        // Paths are ordered by their parts: what lies in a directory follows its name.
        match self.index.range(inside.to_owned()..).next() {
            Some((path, entry)) if path == inside => match entry.kind {
                Kind::File => There::File(&entry.object),
                Kind::Link => There::Link(&entry.object),
                Kind::Submodule => There::Directory,
            },
            Some((path, _)) if path.starts_with(inside) => There::Directory,
            Some(_) | None => There::Nothing,
        }
    }

    /// The path without symbolic links and `..`: those of the index, and those of the machine.
    fn locate(&self, path: &Path) -> io::Result<PathBuf> {
        let (mut here, rest) = match path.strip_prefix(&self.top) {
            Ok(inside) => (self.top.clone(), inside),
            Err(_) if path.is_absolute() => (PathBuf::from("/"), path),
            Err(_) => (self.machine.resolve(Path::new("."))?, path),
        };
        let mut ahead: Vec<OsString> = parts(rest);
        let mut links = 0;
        while let Some(part) = ahead.pop() {
            if part == ".." {
                here.pop();
                continue;
            }
            let next = here.join(&part);
            let Ok(inside) = next.strip_prefix(&self.top) else {
                here = self.machine.resolve(&next)?;
                continue;
            };
            match self.entry(inside) {
                There::Nothing => return Err(io::ErrorKind::NotFound.into()),
                There::File(_) if !ahead.is_empty() => {
                    return Err(io::ErrorKind::NotADirectory.into());
                }
                There::File(_) | There::Directory => here = next,
                There::Link(object) => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(io::Error::other("too many symbolic links"));
                    }
                    let target = PathBuf::from(OsString::from_vec(self.objects.read(object)?));
                    if target.is_absolute() {
                        here = PathBuf::from("/");
                    }
                    ahead.extend(parts(&target));
                }
            }
        }
        Ok(here)
    }
}

enum There<'s> {
    Nothing,
    File(&'s str),
    Link(&'s str),
    Directory,
}

/// The parts of a path that lead on, the last one first.
pub(super) fn parts(path: &Path) -> Vec<OsString> {
    let steps = path.components().filter_map(|it| match it {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
    });
    let mut steps: Vec<OsString> = steps.collect();
    steps.reverse();
    steps
}

impl Host for Staged {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let path = self.locate(path)?;
        let Ok(inside) = path.strip_prefix(&self.top) else { return self.machine.read(&path) };
        match self.entry(inside) {
            There::File(object) => {
                git::unfiltered(self, object, inside, self.objects.read(object)?)
            }
            There::Directory => Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory")),
            There::Link(_) | There::Nothing => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn read_from(&self, path: &Path, offset: u64) -> io::Result<Vec<u8>> {
        let mut bytes = self.read(path)?;
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        Ok(bytes.split_off(from))
    }

    fn exists(&self, path: &Path) -> bool {
        // A link is there, whatever it leads to.
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return self.locate(path).is_ok();
        };
        let Ok(parent) = self.locate(parent) else { return false };
        let path = parent.join(name);
        match path.strip_prefix(&self.top) {
            Ok(inside) => !matches!(self.entry(inside), There::Nothing),
            Err(_) => self.machine.exists(&path),
        }
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        self.locate(path)
    }

    fn is_directory(&self, path: &Path) -> bool {
        let Ok(path) = self.locate(path) else { return false };
        match path.strip_prefix(&self.top) {
            Ok(inside) => matches!(self.entry(inside), There::Directory),
            Err(_) => self.machine.is_directory(&path),
        }
    }

    fn directories(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        let located = self.locate(path)?;
        let Ok(inside) = located.strip_prefix(&self.top) else {
            return self.machine.directories(&located);
        };
        let below = self.index.range(inside.to_owned()..).map(|it| it.0);
        let below = below.map_while(|it| it.strip_prefix(inside).ok());
        // What has another name below its own is a directory.
        let names = below.filter_map(|it| {
            let mut parts = it.components();
            let name = parts.next()?;
            parts.next().map(|_| path.join(name))
        });
        let mut found: Vec<PathBuf> = names.collect();
        found.dedup();
        Ok(found)
    }

    fn names(&self, path: &Path) -> io::Result<Vec<OsString>> {
        self.machine.names(path)
    }

    fn matching(&self, pattern: &str) -> io::Result<Vec<PathBuf>> {
        // The part in front of the first wildcard is a directory, perhaps by way of links.
        let is_plain = |it: &Component| !it.as_os_str().to_string_lossy().contains(['*', '?', '[']);
        let path = Path::new(pattern);
        let folder: PathBuf = path.components().take_while(is_plain).collect();
        let Ok(located) = self.locate(&folder) else { return Ok(Vec::new()) };
        if folder == path {
            return Ok(if self.exists(path) { vec![folder] } else { Vec::new() });
        }
        let rest: PathBuf = path.components().skip_while(is_plain).collect();
        let whole = Path::new(&glob::Pattern::escape(&located.to_string_lossy())).join(rest);
        let whole = whole.to_string_lossy();
        let pattern = glob::Pattern::new(&whole).map_err(io::Error::other)?;
        let options =
            glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::new() };
        let first = located.strip_prefix(&self.top).unwrap_or(Path::new("")).to_owned();
        let staged = self.index.range(first.clone()..).map(|it| it.0);
        let staged = staged.take_while(|it| it.starts_with(&first)).map(|it| self.top.join(it));
        let mut found: Vec<PathBuf> =
            staged.filter(|it| pattern.matches_path_with(it, options)).collect();
        if !located.starts_with(&self.top) {
            let others = self.machine.matching(&whole)?;
            found.extend(others.into_iter().filter(|it| !it.starts_with(&self.top)));
        }
        found.sort();
        let as_asked = |it: PathBuf| match it.strip_prefix(&located) {
            Ok(inside) => folder.join(inside),
            Err(_) => it,
        };
        Ok(found.into_iter().map(as_asked).collect())
    }

    fn stage(&self, _target: &Path, _bytes: &[u8]) -> io::Result<PathBuf> {
        Err(only_read())
    }

    fn keep(&self, _file: &Path) -> io::Result<PathBuf> {
        Err(only_read())
    }

    fn store(&self, _path: &Path, _bytes: &[u8]) -> io::Result<()> {
        Err(only_read())
    }

    fn make_directory(&self, _path: &Path) -> io::Result<()> {
        Err(only_read())
    }

    fn lock(&self, _path: &Path, _patience: Duration) -> io::Result<Lock> {
        Err(only_read())
    }

    fn copy_attributes(&self, _from: &Path, _to: &Path) -> io::Result<()> {
        Err(only_read())
    }

    fn rename(&self, _from: &Path, _to: &Path) -> io::Result<()> {
        Err(only_read())
    }

    fn flush(&self, _path: &Path) -> io::Result<()> {
        Err(only_read())
    }

    fn remove(&self, _path: &Path) -> io::Result<()> {
        Err(only_read())
    }

    /// git knows nothing of owners and dates.
    fn attributes(&self, _path: &Path) -> io::Result<Attributes> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn account(&self, accounts: Accounts, name: &OsStr) -> io::Result<Option<Vec<u8>>> {
        self.machine.account(accounts, name)
    }

    fn is_copy(&self) -> bool {
        true
    }

    fn program(&self, name: &str) -> io::Result<Vec<u8>> {
        self.machine.program(name)
    }

    fn hostname(&self) -> Option<String> {
        self.machine.hostname()
    }

    fn addresses(&self) -> Vec<(IpAddr, u8)> {
        self.machine.addresses()
    }

    fn process_id(&self) -> u32 {
        self.machine.process_id()
    }

    fn unix_time(&self) -> u64 {
        self.machine.unix_time()
    }

    fn sleep(&self, time: Duration) {
        self.machine.sleep(time);
    }

    fn run(&self, program: &str, arguments: &[&OsStr], input: &[u8]) -> io::Result<Ran> {
        self.machine.run(program, arguments, input)
    }
}

fn only_read() -> io::Error {
    io::Error::new(io::ErrorKind::ReadOnlyFilesystem, "what git has staged is only read")
}
