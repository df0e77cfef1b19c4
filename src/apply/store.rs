//! What postls keeps of a configuration directory, in `.postls` in it.
//!
//! ```text
//! .postls/            only its owner may enter
//!   lock              one apply at a time
//!   journal.json      there while an apply is under way, or was interrupted
//!   generations/7.json  what the seventh apply changed
//!   objects/<sha256>  the bytes of files before and after, each once
//!   .gitignore        it is no part of the configuration
//! ```
//!
//! It stands beside what it is about, so that it is on the same file system and goes where the
//! directory goes.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::generation::Generation;
use crate::host::{Host, Lock};

/// The folder's name.
pub(super) const FOLDER: &str = ".postls";
/// How long to wait for another apply to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// The store of one configuration directory.
pub(super) struct Store<'h> {
    host: &'h dyn Host,
    folder: PathBuf,
}

impl<'h> Store<'h> {
    /// For reading; nothing may be there yet.
    pub(super) fn of(host: &'h dyn Host, directory: &Path) -> Store<'h> {
        Store { host, folder: directory.join(FOLDER) }
    }

    /// Makes what is not there, and waits for another apply to end: who holds the lock may write.
    pub(super) fn open(host: &'h dyn Host, directory: &Path) -> Result<(Store<'h>, Lock), String> {
        let store = Store::of(host, directory);
        let said = |path: &Path, error: io::Error| format!("{}: {error}", path.display());
        for folder in [&store.folder, &store.objects(), &store.generations()] {
            host.make_directory(folder).map_err(|error| said(folder, error))?;
        }
        let ignore = store.folder.join(".gitignore");
        if !host.exists(&ignore) {
            host.store(&ignore, b"*\n").map_err(|error| said(&ignore, error))?;
        }
        let path = store.lock_file();
        match host.lock(&path, PATIENCE) {
            Ok(lock) => {
                store.sweep()?;
                Ok((store, lock))
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Err(format!(
                "another postls has been at work here for a minute ({})",
                path.display()
            )),
            Err(error) => Err(said(&path, error)),
        }
    }

    /// Whether another process is at work here; `None`: this one may not know.
    pub(super) fn is_busy(&self) -> Option<bool> {
        match self.host.lock(&self.lock_file(), Duration::ZERO) {
            Ok(_) => Some(false),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Some(true),
            Err(_) => None,
        }
    }

    /// Removes temporary files that a crash has left here: who has the lock knows that nobody writes them.
    fn sweep(&self) -> Result<(), String> {
        for folder in [self.folder.clone(), self.objects(), self.generations()] {
            let names = self.host.names(&folder);
            let names = names.map_err(|error| format!("{}: {error}", folder.display()))?;
            let is_temporary = |it: &&OsString| {
                let name = it.to_string_lossy();
                name.starts_with('.') && name.contains(".postls-")
            };
            for name in names.iter().filter(is_temporary) {
                self.remove(&folder.join(name))?;
            }
        }
        Ok(())
    }

    fn lock_file(&self) -> PathBuf {
        self.folder.join("lock")
    }

    fn objects(&self) -> PathBuf {
        self.folder.join("objects")
    }

    fn generations(&self) -> PathBuf {
        self.folder.join("generations")
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.folder.join("journal.json")
    }

    fn generation_file(&self, number: u64) -> PathBuf {
        self.generations().join(format!("{number}.json"))
    }

    /// Where bytes are kept.
    pub(super) fn object_file(&self, name: &str) -> PathBuf {
        self.objects().join(name)
    }

    /// Keeps bytes, and says how they are found again.
    pub(super) fn keep(&self, bytes: &[u8]) -> Result<String, String> {
        let name = digest(bytes);
        let path = self.object_file(&name);
        // One of another content is a damaged one.
        if self.host.read(&path).is_ok_and(|there| there == bytes) {
            return Ok(name);
        }
        let stored = self.host.store(&path, bytes);
        stored.map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(name)
    }

    /// What was kept.
    pub(super) fn object(&self, name: &str) -> Result<Vec<u8>, String> {
        let path = self.object_file(name);
        let bytes =
            self.host.read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        if digest(&bytes) == name {
            Ok(bytes)
        } else {
            Err(format!("{}: is damaged", path.display()))
        }
    }

    /// Writes a file of ours.
    pub(super) fn write(&self, path: &Path, value: &impl Serialize) -> Result<(), String> {
        let mut text = serde_json::to_vec_pretty(value).map_err(|error| error.to_string())?;
        text.push(b'\n');
        self.host.store(path, &text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Reads one; `None`: it is not there.
    pub(super) fn read<T: DeserializeOwned>(&self, path: &Path) -> Result<Option<T>, String> {
        let said = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
        match self.host.read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| said(&error)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(said(&error)),
        }
    }

    /// Removes a file of ours, if it is there.
    pub(super) fn remove(&self, path: &Path) -> Result<(), String> {
        match self.host.remove(path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(format!("{}: {error}", path.display())),
        }
    }

    /// The numbers of all generations, in order.
    pub(super) fn numbers(&self) -> Result<Vec<u64>, String> {
        let folder = self.generations();
        let names = match self.host.names(&folder) {
            Ok(names) => names,
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(format!("{}: {error}", folder.display())),
        };
        let number = |name: &std::ffi::OsString| -> Option<u64> {
            name.to_str()?.strip_suffix(".json")?.parse().ok()
        };
        let mut numbers: Vec<u64> = names.iter().filter_map(number).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// One generation; `None`: it is not kept.
    pub(super) fn generation(&self, number: u64) -> Result<Option<Generation>, String> {
        self.read(&self.generation_file(number))
    }

    pub(super) fn write_generation(&self, generation: &Generation) -> Result<(), String> {
        self.write(&self.generation_file(generation.number), generation)
    }

    pub(super) fn remove_generation(&self, number: u64) -> Result<(), String> {
        self.remove(&self.generation_file(number))
    }

    /// Forgets all but the last `most` generations, and the bytes that no other one needs.
    pub(super) fn prune(&self, most: usize) -> Result<(), String> {
        let numbers = self.numbers()?;
        let (old, kept) = numbers.split_at(numbers.len().saturating_sub(most.max(1)));
        let mut needed = std::collections::HashSet::new();
        for number in kept {
            // One that cannot be read might need anything.
            let Some(generation) = self.generation(*number)? else { continue };
            needed.extend(generation.objects().map(str::to_owned));
        }
        for number in old {
            self.remove_generation(*number)?;
        }
        let objects = self.objects();
        let names = self.host.names(&objects);
        let names = names.map_err(|error| format!("{}: {error}", objects.display()))?;
        for name in names.iter().filter(|it| it.to_str().is_none_or(|it| !needed.contains(it))) {
            self.remove(&objects.join(name))?;
        }
        Ok(())
    }
}

/// How bytes are known again: their SHA-256 in hexadecimal digits.
pub(super) fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
