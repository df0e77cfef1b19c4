//! A lock as Postfix's programs that edit a file take it (edit_file(3)), so that they and we wait for
//! each other.
//!
//! The lock is on a file that everybody calls by the same name, and it counts only while the name
//! still leads to the locked file: whoever is done may have removed or renamed it. Postfix removes a
//! lock file that is no regular file, has a second name or another mode than 0600, since a crash may
//! have left it; so do we, for a lock on such a file would not keep a Postfix out.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, OFlags};
use rustix::io::Errno;

/// How long to wait before the next try: others hold such a lock for milliseconds.
const PAUSE: Duration = Duration::from_millis(10);

/// What is locked until it is dropped, or this process ends however.
#[derive(Debug)]
pub struct Lock {
    // The lock is the open file's.
    _file: Option<File>,
}

impl Lock {
    /// Of a host where nobody else is.
    pub fn of_nobody() -> Lock {
        Lock { _file: None }
    }

    /// Waits for so long; `WouldBlock`: somebody else has it still.
    pub(super) fn wait_for(path: &Path, patience: Duration) -> io::Result<Lock> {
        let tries = patience.as_millis() / PAUSE.as_millis();
        for left in (0..=tries).rev() {
            if let Some(file) = attempt(path)? {
                return Ok(Lock { _file: Some(file) });
            }
            if left > 0 {
                std::thread::sleep(PAUSE);
            }
        }
        Err(io::ErrorKind::WouldBlock.into())
    }
}

/// The locked file; `None`: another process has it, or had it until now.
fn attempt(path: &Path) -> io::Result<Option<File>> {
    // Neither through a symbolic link nor waiting for the other end of a pipe.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let open = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(flags.bits().cast_signed())
        .open(path);
    let file = match open {
        Ok(file) => file,
        Err(error) if is_left_over(path) => return remove(path, error),
        Err(error) => return Err(error),
    };
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let (ours, named) = (file.metadata()?, fs::symlink_metadata(path));
    let same = |it: &fs::Metadata| (it.dev(), it.ino()) == (ours.dev(), ours.ino());
    if !named.is_ok_and(|it| same(&it)) {
        return Ok(None);
    }
    if !ours.is_file() || ours.nlink() > 1 || ours.mode() & 0o7777 != 0o600 {
        return remove(path, io::Error::other("is no lock file"));
    }
    Ok(Some(file))
}

/// Whether something stands there that nobody can lock.
fn is_left_over(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|it| !it.is_file() && !it.is_dir())
}

/// Removes what a crash left, for the next try; `why` is the reason if that fails.
fn remove(path: &Path, why: io::Error) -> io::Result<Option<File>> {
    match fs::remove_file(path) {
        Ok(()) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(_) => Err(why),
    }
}
