//! Makes a plan true, or leaves everything as it was.
//!
//! 1. One apply at a time: a lock of our own. What an earlier one left undone is put right first.
//! 2. The locks of Postfix's own editor, so that `postconf -e` waits; then each file must still be the
//!    one that the plan was made from.
//! 3. The journal says what will be done, and the old bytes are kept.
//! 4. All new files are written beside those that they replace, on the disk, and indexes are built
//!    and read back.
//! 5. Each is put in its place by a rename, so that whoever opens it gets the old one or the new one,
//!    whole: tables first, then master.cf, then main.cf, and what goes away last. So no file names
//!    one that is not there.
//! 6. Postfix's own programs are asked whether they see what the plan says.
//! 7. A running Postfix is told where it would not notice, and watched for daemons that die of it.
//! 8. The generation is written, and the journal goes away.
//!
//! A failure from 5 on: the journal backwards. A crash: whoever comes next finds the journal
//! ([`recover`]).
//!
//! Known limit: a power failure between two renames is put right by the next postls, not by Postfix;
//! until then some files are new and some old, in the order above.

mod edit_lock;
mod generation;
pub mod index;
mod journal;
mod recovery;
mod rollback;
mod running;
pub mod settled;
mod store;
mod verify;
mod work;

use std::fmt;
use std::path::{Path, PathBuf};

pub use generation::{Built, Generation, Kept, Replaced};
pub use recovery::{Interrupted, Recovered, interrupted, recover};
pub use rollback::{Back, Lost, back_to, changes_of, history, written};

use crate::host::Host;
use crate::plan::Plan;

/// When a running Postfix is told to read its files again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reload {
    /// When the plan says that it would not notice by itself.
    Auto,
    /// Whenever something changed.
    Always,
    /// Never.
    Never,
}

/// How a plan is made true.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    /// When a running Postfix is told.
    pub reload: Reload,
    /// What is kept of it.
    pub record: Record<'a>,
}

/// What is kept of a change.
#[derive(Clone, Debug)]
pub enum Record<'a> {
    /// A generation.
    Generation {
        /// The command, for `postls history`.
        command: &'a str,
        /// The policy file, if there is one.
        policy: Option<&'a str>,
        /// How many generations are kept.
        keep: usize,
    },
    /// Nothing: one file that Postfix does not read, whole by a single rename.
    Nothing,
}

/// How many generations are kept where nobody says otherwise.
pub const KEEP: usize = 20;

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Whether files changed.
    pub changed: bool,
    /// What Postfix knows of it.
    pub postfix: Told,
    /// The number of the generation, if one was made.
    pub generation: Option<u64>,
    /// What is worth knowing beside that: what could not be verified or cleared away.
    pub notes: Vec<String>,
}

/// What a running Postfix knows of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It notices by itself, or nothing changed.
    NotNeeded,
    /// None runs with this directory.
    NotRunning,
    /// It read its files again.
    Reloaded,
    /// It goes on with what it read before, because of this.
    NotTold(String),
}

/// Why a plan was not made true.
#[derive(Debug)]
pub enum Failure {
    /// Nothing was changed.
    Refused(String),
    /// The files are others than those that the plan was made from; nothing was changed.
    Stale(String),
    /// Something failed, and everything was put back.
    PutBack(String),
    /// Something failed, and not everything could be put back.
    Stuck {
        /// What failed first.
        why: String,
        /// What is where now, one line each.
        left: Vec<String>,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Refused(why) => write!(f, "{why}; nothing was changed"),
            Failure::Stale(why) => write!(f, "{why}; nothing was changed; run the command again"),
            Failure::PutBack(why) => write!(f, "{why}; everything was put back"),
            Failure::Stuck { why, left } => {
                write!(f, "{why}; not everything could be put back:\n  {}", left.join("\n  "))
            }
        }
    }
}

/// Makes `plan` true in `directory`, which is an absolute path.
pub fn apply(
    host: &dyn Host,
    directory: &Path,
    plan: &Plan,
    options: &Options<'_>,
) -> Result<Done, Failure> {
    if plan.changes.is_empty() {
        let (postfix, notes) = (Told::NotNeeded, Vec::new());
        return Ok(Done { changed: false, postfix, generation: None, notes });
    }
    work::run(host, directory, plan, options)
}

/// `tls_policy` and `lmdb` make `tls_policy.lmdb`.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}
