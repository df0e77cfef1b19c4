//! The only door to files, processes and the clock.
//!
//! A [`Host`] is a trait so that a test can let its n-th call fail. Reading
//! refuses what is no regular file, so that a FIFO or a device cannot hold us.

mod git;
mod lock;
mod rooted;
mod staged;

pub use lock::Lock;
pub use rooted::Rooted;
pub use staged::Staged;

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use if_addrs::IfAddr;
use rustix::fs::{Mode, XattrFlags};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};

/// Places in a source have 32 bits.
const MAX_FILE: u64 = u32::MAX as u64 - 1;

/// What a program did.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Whether it exited with 0.
    pub success: bool,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error, for a message.
    pub stderr: String,
}

/// What a file system knows of a file or directory.
#[derive(Clone, Copy, Debug)]
pub struct Attributes {
    /// The number of the user that owns it.
    pub owner: u32,
    /// The number of its group.
    pub group: u32,
    /// The permission bits.
    pub mode: u32,
    /// When it was last written, in seconds.
    pub modified: i64,
    /// Its size in bytes.
    pub size: u64,
    /// How many names it has.
    pub links: u64,
    /// Whether an access list gives other permissions to some.
    pub has_access_list: bool,
}

/// Where a host's accounts are.
#[derive(Clone, Copy, Debug)]
pub enum Accounts {
    /// passwd(5) and what else the host asks for users.
    Users,
    /// group(5) and what else the host asks for groups.
    Groups,
}

/// What postls asks of the machine.
pub trait Host {
    /// The bytes of a regular file; symbolic links are followed.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// The bytes of a regular file from an offset on.
    fn read_from(&self, path: &Path, offset: u64) -> io::Result<Vec<u8>>;
    /// Whether there is something with this name, whatever it is.
    fn exists(&self, path: &Path) -> bool;
    /// The path without symbolic links and `..`; it must exist.
    fn resolve(&self, path: &Path) -> io::Result<PathBuf>;
    /// Whether it is a directory; symbolic links are followed.
    fn is_directory(&self, path: &Path) -> bool;
    /// The directories directly in a directory, sorted; symbolic links to some are none.
    fn directories(&self, path: &Path) -> io::Result<Vec<PathBuf>>;
    /// The names of all that is directly in a directory, sorted.
    fn names(&self, path: &Path) -> io::Result<Vec<OsString>>;
    /// The files that a shell pattern names, sorted.
    fn matching(&self, pattern: &str) -> io::Result<Vec<PathBuf>>;
    /// What the file system knows of a file, or of what a symbolic link leads to.
    fn attributes(&self, path: &Path) -> io::Result<Attributes>;
    /// The entry of a name as getent(1) prints it; `None`: there is no such account.
    fn account(&self, accounts: Accounts, name: &OsStr) -> io::Result<Option<Vec<u8>>>;
    /// Writes a new file under a temporary name in the directory of `target`,
    /// with the owner, mode and attributes of `target` if that exists, and
    /// safely on the disk. The caller renames it or removes it.
    fn stage(&self, target: &Path, bytes: &[u8]) -> io::Result<PathBuf>;
    /// Gives a file a second, temporary name in its directory, under which it stays what it is when
    /// something else is put in its place. Where a file cannot have two names, a copy of it.
    fn keep(&self, file: &Path) -> io::Result<PathBuf>;
    /// Writes a file that only its owner may read, whole or not at all, safely on the disk.
    fn store(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Makes a directory that only its owner may enter. Fails if it is there and another user's,
    /// open to others, or no directory.
    fn make_directory(&self, path: &Path) -> io::Result<()>;
    /// Waits for so long to be the only one who has this lock file; makes it if it is not there.
    /// [`io::ErrorKind::WouldBlock`]: another process has it.
    fn lock(&self, path: &Path, patience: Duration) -> io::Result<Lock>;
    /// Gives a file the owner, mode and attributes of another one.
    fn copy_attributes(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Puts a staged file in its place, safely on the disk.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Brings a file safely to the disk.
    fn flush(&self, path: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Whether the files come from elsewhere, so that no Postfix of this machine runs with them.
    fn is_copy(&self) -> bool {
        false
    }
    /// The bytes of a program of Postfix.
    fn program(&self, name: &str) -> io::Result<Vec<u8>>;
    /// This machine's name, as gethostname(2) tells it.
    fn hostname(&self) -> Option<String>;
    /// The addresses of this machine, each with the length of its network's prefix.
    fn addresses(&self) -> Vec<(IpAddr, u8)>;
    /// This process, to itself.
    fn process_id(&self) -> u32;
    /// The seconds since 1970-01-01 UTC.
    fn unix_time(&self) -> u64;
    /// The whole days since 1970-01-01 UTC.
    fn unix_day(&self) -> u64 {
        self.unix_time() / (24 * 60 * 60)
    }
    /// Waits.
    fn sleep(&self, time: Duration);
    /// Runs a program, such as one of Postfix, to its end.
    fn run(&self, program: &str, arguments: &[&OsStr], input: &[u8]) -> io::Result<Ran>;
}

/// This machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Host for System {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let kind = fs::metadata(path)?;
        if kind.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory"));
        }
        if !kind.is_file() {
            return Err(io::Error::other("is no regular file"));
        }
        if kind.len() > MAX_FILE {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "has 4 GiB or more"));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(kind.len()).unwrap_or(0));
        File::open(path)?.take(MAX_FILE).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn read_from(&self, path: &Path, offset: u64) -> io::Result<Vec<u8>> {
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::other("is no regular file"));
        }
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        file.take(MAX_FILE).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn exists(&self, path: &Path) -> bool {
        fs::symlink_metadata(path).is_ok()
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        fs::canonicalize(path)
    }

    fn is_directory(&self, path: &Path) -> bool {
        path.is_dir()
    }

    fn directories(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                found.push(entry.path());
            }
        }
        found.sort();
        Ok(found)
    }

    fn names(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let entries = fs::read_dir(path)?.map(|entry| entry.map(|it| it.file_name()));
        let mut names = entries.collect::<io::Result<Vec<OsString>>>()?;
        names.sort();
        Ok(names)
    }

    fn matching(&self, pattern: &str) -> io::Result<Vec<PathBuf>> {
        let paths = glob::glob(pattern).map_err(io::Error::other)?;
        paths.map(|path| path.map_err(Into::into)).collect()
    }

    fn attributes(&self, path: &Path) -> io::Result<Attributes> {
        let it = fs::metadata(path)?;
        // No room for the list: only whether there is one.
        let list = rustix::fs::getxattr(path, "system.posix_acl_access", &mut [0_u8; 0][..]);
        Ok(Attributes {
            owner: it.uid(),
            group: it.gid(),
            mode: it.mode() & 0o7777,
            modified: it.mtime(),
            size: it.size(),
            links: it.nlink(),
            has_access_list: list.is_ok_and(|size| size > 0),
        })
    }

    fn account(&self, accounts: Accounts, name: &OsStr) -> io::Result<Option<Vec<u8>>> {
        let accounts = match accounts {
            Accounts::Users => "passwd",
            Accounts::Groups => "group",
        };
        let ran = Command::new(find("getent")).args([accounts, "--"]).arg(name).output()?;
        match ran.status.code() {
            Some(0) => Ok(Some(ran.stdout)),
            Some(2) => Ok(None),
            Some(_) | None => Err(io::Error::other("getent failed")),
        }
    }

    fn stage(&self, target: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
        stage_like(target, Some(target), bytes)
    }

    fn keep(&self, file: &Path) -> io::Result<PathBuf> {
        match temporary(file, |name| fs::hard_link(file, name)) {
            Ok(kept) => kept.into_temp_path().keep().map_err(|it| it.error),
            Err(error) if cannot_link(&error) => self.stage(file, &self.read(file)?),
            Err(error) => Err(error),
        }
    }

    fn store(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        // A temporary file is its owner's alone.
        let mut staged = temporary_file(path)?;
        staged.write_all(bytes)?;
        staged.as_file().sync_all()?;
        staged.persist(path).map_err(|it| it.error)?;
        File::open(parent(path))?.sync_all()
    }

    fn make_directory(&self, path: &Path) -> io::Result<()> {
        match DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => return File::open(parent(path))?.sync_all(),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        let is = fs::symlink_metadata(path)?;
        if !is.is_dir() {
            return Err(io::Error::other("is no directory"));
        }
        if is.uid() != rustix::process::geteuid().as_raw() {
            return Err(io::Error::other(format!("belongs to the user with number {}", is.uid())));
        }
        if is.mode() & 0o077 != 0 {
            return Err(io::Error::other("is open to other users; chmod 0700 closes it"));
        }
        Ok(())
    }

    fn lock(&self, path: &Path, patience: Duration) -> io::Result<Lock> {
        Lock::wait_for(path, patience)
    }

    fn copy_attributes(&self, from: &Path, to: &Path) -> io::Result<()> {
        copy_attributes(&File::open(from)?, &File::options().write(true).open(to)?)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        File::open(parent(to))?.sync_all()
    }

    fn flush(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn program(&self, name: &str) -> io::Result<Vec<u8>> {
        self.read(&find(name))
    }

    fn hostname(&self) -> Option<String> {
        rustix::system::uname().nodename().to_str().ok().map(str::to_owned)
    }

    fn addresses(&self) -> Vec<(IpAddr, u8)> {
        let interfaces = if_addrs::get_if_addrs().unwrap_or_default().into_iter();
        let pair = |it: if_addrs::Interface| match it.addr {
            IfAddr::V4(it) => (IpAddr::V4(it.ip), it.prefixlen),
            IfAddr::V6(it) => (IpAddr::V6(it.ip), it.prefixlen),
        };
        interfaces.map(pair).collect()
    }

    fn process_id(&self) -> u32 {
        std::process::id()
    }

    fn unix_time(&self) -> u64 {
        // A clock that stands before 1970 knows no time.
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }

    fn run(&self, program: &str, arguments: &[&OsStr], input: &[u8]) -> io::Result<Ran> {
        let (input_of_child, mut feed) = io::pipe()?;
        let output = std::thread::scope(|scope| {
            // Beside the reading, so that neither side waits for a full pipe, and before the child: where no
            // thread can be had, nothing was started. A program that reads no input closes the pipe; that is
            // its right.
            std::thread::Builder::new().spawn_scoped(scope, move || feed.write_all(input))?;
            // In a statement of its own: the pipe's other end is the child's alone when it is over.
            let child = Command::new(find(program))
                .args(arguments)
                .stdin(input_of_child)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn();
            child?.wait_with_output()
        })?;
        Ok(Ran {
            success: output.status.success(),
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        })
    }
}

/// What the names of temporary files beside this one begin with.
pub fn temporary_prefix(file: &Path) -> OsString {
    // Names have 255 bytes at most, and this one may have all of them.
    let name = file.file_name().unwrap_or_default().as_bytes();
    let name = OsStr::from_bytes(&name[..name.len().min(230)]);
    [OsStr::new("."), name, OsStr::new(".postls-")].join(OsStr::new(""))
}

/// Stages a file beside `target`, with the attributes of the one that it is to be like, if that exists.
fn stage_like(target: &Path, like: Option<&Path>, bytes: &[u8]) -> io::Result<PathBuf> {
    let mut staged = temporary_file(target)?;
    staged.write_all(bytes)?;
    match like.map(File::open) {
        Some(Ok(old)) => copy_attributes(&old, staged.as_file())?,
        Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Some(Err(_)) | None => {
            rustix::fs::fchmod(staged.as_file(), Mode::from_raw_mode(0o644))?;
        }
    }
    staged.as_file().sync_all()?;
    let (_, path) = staged.keep().map_err(|it| it.error)?;
    Ok(path)
}

/// Makes something under a temporary name beside a file: `.NAME.postls-` and some letters.
fn temporary<R>(
    file: &Path,
    make: impl FnMut(&Path) -> io::Result<R>,
) -> io::Result<tempfile::NamedTempFile<R>> {
    tempfile::Builder::new().prefix(&temporary_prefix(file)).make_in(parent(file), make)
}

/// The same, for a file that only its owner may read and write.
fn temporary_file(file: &Path) -> io::Result<tempfile::NamedTempFile> {
    temporary(file, |name| File::options().write(true).create_new(true).mode(0o600).open(name))
}

/// Whether a file system, or its rules, let a file have one name only.
fn cannot_link(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied
            | io::ErrorKind::Unsupported
            | io::ErrorKind::TooManyLinks
            | io::ErrorKind::CrossesDevices
    )
}

/// The directory that a file stands in.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Postfix's programs often are not in a user's PATH.
fn find(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let beside = ["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(beside)
        .map(|directory| directory.join(program))
        .find(|it| it.is_file())
        .unwrap_or_else(|| PathBuf::from(program))
}

/// Owner, mode and extended attributes (SELinux label, access list).
fn copy_attributes(old: &File, new: &File) -> io::Result<()> {
    let like = old.metadata()?;
    let is = new.metadata()?;
    if (like.uid(), like.gid()) != (is.uid(), is.gid()) {
        rustix::fs::fchown(new, Some(Uid::from_raw(like.uid())), Some(Gid::from_raw(like.gid())))?;
    }
    // An access list that the directory gave to the new file would let in whom the old one kept out. One of the old
    // file's own comes with its attributes, below.
    match rustix::fs::fremovexattr(new, "system.posix_acl_access") {
        Ok(()) | Err(Errno::NODATA | Errno::OPNOTSUPP) => {}
        Err(error) => return Err(error.into()),
    }
    rustix::fs::fchmod(new, Mode::from_raw_mode(like.mode() & 0o7777))?;
    let mut names = vec![0_u8; 64 << 10];
    // A file system without extended attributes has none to copy.
    let length = rustix::fs::flistxattr(old, &mut names[..]).unwrap_or(0);
    for name in names[..length].split(|byte| *byte == 0).filter(|it| !it.is_empty()) {
        let mut value = vec![0_u8; 64 << 10];
        let length = rustix::fs::fgetxattr(old, name, &mut value[..])?;
        rustix::fs::fsetxattr(new, name, &value[..length], XattrFlags::empty())?;
    }
    Ok(())
}
