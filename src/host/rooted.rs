//! A host whose files are those below a directory: an image that is being built, a container's files,
//! another system that is mounted here.
//!
//! Every name is one of that system, and no symbolic link leads out of the directory: links are
//! followed here, one by one, and what the machine is asked for has none in it. (openat2(2) with
//! `RESOLVE_IN_ROOT` would do the same without a race, but gives an open file, and postmap wants a name.)
//! No program of that system runs; the machine's postmap builds its indexes (`postmap`).
//!
//! Known limits: accounts are those of its passwd(5) and group(5) alone; where somebody changes links while
//! they are followed, what is read or written may be elsewhere.

mod postmap;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::staged::{MAX_LINKS, parts};
use super::{Accounts, Attributes, Host, Lock, Ran, System, stage_like};

/// The system below a directory.
#[derive(Debug)]
pub struct Rooted {
    machine: System,
    root: PathBuf,
}

impl Rooted {
    /// The system below this directory of the machine.
    pub fn new(root: &Path) -> io::Result<Rooted> {
        let root = System.resolve(root)?;
        if !System.is_directory(&root) {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Rooted { machine: System, root })
    }

    /// A path of that system, on the machine.
    fn real(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The path in that system without symbolic links and `..`; it exists.
    fn locate(&self, path: &Path) -> io::Result<PathBuf> {
        let mut here = PathBuf::from("/");
        let mut ahead: Vec<OsString> = parts(path);
        let mut links = 0;
        while let Some(part) = ahead.pop() {
            if part == ".." {
                here.pop();
                continue;
            }
            let next = here.join(&part);
            if !fs::symlink_metadata(self.real(&next))?.is_symlink() {
                here = next;
                continue;
            }
            links += 1;
            if links > MAX_LINKS {
                return Err(io::Error::other("too many symbolic links"));
            }
            let target = fs::read_link(self.real(&next))?;
            if target.is_absolute() {
                here = PathBuf::from("/");
            }
            ahead.extend(parts(&target));
        }
        // `file/..` is no directory.
        fs::symlink_metadata(self.real(&here))?;
        Ok(here)
    }

    fn located(&self, path: &Path) -> io::Result<PathBuf> {
        self.locate(path).map(|it| self.real(&it))
    }

    /// The place of a name in its directory, on the machine: where it is a symbolic link, of that.
    fn placed(&self, path: &Path) -> io::Result<PathBuf> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        Ok(self.located(parent)?.join(name))
    }
}

impl Host for Rooted {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.machine.read(&self.located(path)?)
    }

    fn read_from(&self, path: &Path, offset: u64) -> io::Result<Vec<u8>> {
        self.machine.read_from(&self.located(path)?, offset)
    }

    fn exists(&self, path: &Path) -> bool {
        // A link is there, whatever it leads to.
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return self.locate(path).is_ok();
        };
        self.located(parent).is_ok_and(|it| self.machine.exists(&it.join(name)))
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        self.locate(path)
    }

    fn is_directory(&self, path: &Path) -> bool {
        self.located(path).is_ok_and(|it| self.machine.is_directory(&it))
    }

    fn directories(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        let found = self.machine.directories(&self.located(path)?)?;
        Ok(found.iter().filter_map(|it| it.file_name()).map(|it| path.join(it)).collect())
    }

    fn names(&self, path: &Path) -> io::Result<Vec<OsString>> {
        self.machine.names(&self.located(path)?)
    }

    fn matching(&self, pattern: &str) -> io::Result<Vec<PathBuf>> {
        // Links in names with wildcards are left out: they could lead anywhere.
        let pattern = Path::new(pattern);
        let (folder, name) = (pattern.parent(), pattern.file_name().and_then(OsStr::to_str));
        let (Some(folder), Some(name)) = (folder.and_then(Path::to_str), name) else {
            return Ok(Vec::new());
        };
        let folder = unescaped(folder);
        let Ok(located) = self.located(&folder) else { return Ok(Vec::new()) };
        let located = glob::Pattern::escape(&located.to_string_lossy());
        let found = self.machine.matching(&format!("{located}/{name}"))?;
        Ok(found.iter().filter_map(|it| it.file_name()).map(|it| folder.join(it)).collect())
    }

    fn attributes(&self, path: &Path) -> io::Result<Attributes> {
        self.machine.attributes(&self.located(path)?)
    }

    fn account(&self, accounts: Accounts, name: &OsStr) -> io::Result<Option<Vec<u8>>> {
        let file = match accounts {
            Accounts::Users => "/etc/passwd",
            Accounts::Groups => "/etc/group",
        };
        let bytes = self.read(Path::new(file))?;
        let wanted = [name.as_bytes(), b":"].concat();
        let mut entries = bytes.split(|it| *it == b'\n');
        Ok(entries.find(|it| it.starts_with(&wanted)).map(<[u8]>::to_vec))
    }

    fn stage(&self, target: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
        let like = match self.located(target) {
            Ok(like) => Some(like),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let staged = stage_like(&self.placed(target)?, like.as_deref(), bytes)?;
        Ok(beside(target, &staged))
    }

    fn keep(&self, file: &Path) -> io::Result<PathBuf> {
        let file = self.locate(file)?;
        Ok(beside(&file, &self.machine.keep(&self.real(&file))?))
    }

    fn store(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.machine.store(&self.placed(path)?, bytes)
    }

    fn make_directory(&self, path: &Path) -> io::Result<()> {
        self.machine.make_directory(&self.placed(path)?)
    }

    fn lock(&self, path: &Path, patience: Duration) -> io::Result<Lock> {
        self.machine.lock(&self.placed(path)?, patience)
    }

    fn copy_attributes(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.machine.copy_attributes(&self.located(from)?, &self.located(to)?)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.machine.rename(&self.placed(from)?, &self.placed(to)?)
    }

    fn flush(&self, path: &Path) -> io::Result<()> {
        self.machine.flush(&self.located(path)?)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.machine.remove(&self.placed(path)?)
    }

    fn program(&self, name: &str) -> io::Result<Vec<u8>> {
        let directories = ["/usr/sbin", "/usr/local/sbin", "/sbin"];
        let found =
            directories.iter().map(|it| Path::new(it).join(name)).find(|it| self.exists(it));
        self.read(&found.ok_or(io::ErrorKind::NotFound)?)
    }

    fn hostname(&self) -> Option<String> {
        None
    }

    fn addresses(&self) -> Vec<(IpAddr, u8)> {
        Vec::new()
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
        if program == "postmap" {
            return postmap::run(self, arguments, input);
        }
        Err(io::Error::new(io::ErrorKind::Unsupported, "no program below --root runs"))
    }
}

/// A file that was made beside another one, as that system calls it.
fn beside(file: &Path, made: &Path) -> PathBuf {
    file.with_file_name(made.file_name().unwrap_or_default())
}

/// A directory that stands in a pattern, where it has no wildcards.
fn unescaped(pattern: &str) -> PathBuf {
    let mut text = pattern.to_owned();
    for sign in ["?", "*", "[", "]"] {
        text = text.replace(&format!("[{sign}]"), sign);
    }
    PathBuf::from(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_link_leads_out() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = directory.path().join("root");
        fs::create_dir_all(root.join("etc/postfix")).expect("it is writable");
        fs::write(root.join("etc/secret"), "inside").expect("it is writable");
        fs::write(directory.path().join("secret"), "outside").expect("it is writable");
        let link = |target: &str, name: &str| {
            std::os::unix::fs::symlink(target, root.join(name)).expect("it is writable");
        };
        link("../../secret", "etc/up");
        link("/etc/secret", "etc/absolute");
        link("../../../secret", "etc/postfix/far");
        link("/etc/loop", "etc/loop");
        link("/etc/postfix/../..", "top");
        let outside = directory.path().join("secret");
        link(outside.to_str().expect("a plain name"), "etc/out");
        let host = Rooted::new(&root).expect("it is a directory");
        let read = |path: &str| {
            host.read(Path::new(path)).map(|it| String::from_utf8_lossy(&it).into_owned()).ok()
        };
        for path in ["/etc/secret", "/etc/absolute", "/etc/postfix/../secret", "/top/etc/secret"] {
            assert_eq!(read(path).as_deref(), Some("inside"), "{path}");
        }
        for path in
            ["/etc/up", "/etc/postfix/far", "/etc/out", "/etc/loop", "/../secret", "/secret"]
        {
            assert_eq!(read(path), None, "{path}");
        }
        assert!(host.exists(Path::new("/etc/out")), "the link itself is there");
        let found = host.matching("/top/etc/s*").expect("it is a pattern");
        assert_eq!(found, [Path::new("/top/etc/secret")]);
    }
}
