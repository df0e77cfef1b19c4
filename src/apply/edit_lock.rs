//! The locks that postconf takes before it edits main.cf or master.cf: on `main.cf.tmp`, beside the
//! name in the configuration directory, also where that is a symbolic link (edit_file(3)).

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::with_suffix;
use crate::host::{Host, Lock};

/// How long to wait for somebody's edit; postconf takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// The files that postconf edits.
pub(super) const EDITED: [&str; 2] = ["main.cf", "master.cf"];

/// While it lives, postconf waits.
pub(super) struct EditLocks<'h> {
    host: &'h dyn Host,
    locks: Vec<(PathBuf, Lock)>,
}

impl<'h> EditLocks<'h> {
    /// Of those of the files that postconf edits.
    pub(super) fn take(
        host: &'h dyn Host,
        directory: &Path,
        names: &[&str],
    ) -> Result<EditLocks<'h>, String> {
        let mut taken = EditLocks { host, locks: Vec::new() };
        // Always in the same order, so that nobody waits for one who waits for him.
        for name in EDITED.iter().filter(|it| names.contains(it)) {
            let path = with_suffix(&directory.join(name), "tmp");
            match host.lock(&path, PATIENCE) {
                Ok(lock) => taken.locks.push((path, lock)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Err(format!(
                        "another program has been editing {name} for half a minute"
                    ));
                }
                Err(error) => return Err(format!("{}: {error}", path.display())),
            }
        }
        Ok(taken)
    }
}

impl Drop for EditLocks<'_> {
    fn drop(&mut self) {
        for (path, lock) in self.locks.drain(..).rev() {
            // Whoever waited for it sees that the name is gone, and makes a new one. One that stays
            // is no harm: it is empty, and the next editor takes it.
            let _ = self.host.remove(&path);
            drop(lock);
        }
    }
}
