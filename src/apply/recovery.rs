//! What an interrupted apply has left, and putting it right.
//!
//! Files are put in their places in one order, so that a crash leaves the first ones new and the others
//! old. If each is new, the rest of the road is gone; otherwise the new ones are put back. A file that
//! somebody else has changed since is theirs, and stays.

use std::cell::RefCell;
use std::fmt;
use std::path::Path;

use super::Failure;
use super::edit_lock::{EDITED, EditLocks};
use super::journal::{Journal, Phase, Step, Tell};
use super::running::{self, Running};
use super::store::Store;
use super::verify::Before;
use super::work::{Holds, Work};
use crate::host::Host;
use crate::plan::Change;

/// An apply that did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interrupted {
    /// The command, in words.
    pub command: String,
    /// When it began, in seconds since 1970-01-01 UTC.
    pub time: u64,
}

/// What was done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// All files are those from before it.
    Undone,
    /// All files are the new ones.
    Finished,
}

impl fmt::Display for Recovered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Recovered::Undone => "undone",
            Recovered::Finished => "finished",
        })
    }
}

/// Whether an apply was interrupted here. Reads only; `None` too while one is under way, or where this
/// user may not look.
pub fn interrupted(host: &dyn Host, directory: &Path) -> Option<Interrupted> {
    let store = Store::of(host, directory);
    let journal = store.read::<Journal>(&store.journal()).ok().flatten()?;
    (store.is_busy() != Some(true)).then(|| said(&journal))
}

/// Finishes or undoes what an interrupted apply has left; `None`: nothing.
pub fn recover(
    host: &dyn Host,
    directory: &Path,
) -> Result<Option<(Interrupted, Recovered)>, Failure> {
    if !host.exists(&Store::of(host, directory).journal()) {
        return Ok(None);
    }
    let (store, _lock) = Store::open(host, directory).map_err(Failure::Refused)?;
    put_right(host, directory, &store)
}

fn said(journal: &Journal) -> Interrupted {
    let generation = &journal.generation;
    Interrupted { command: generation.command.clone(), time: generation.time }
}

/// The same, for one who holds the lock.
pub(super) fn put_right(
    host: &dyn Host,
    directory: &Path,
    store: &Store<'_>,
) -> Result<Option<(Interrupted, Recovered)>, Failure> {
    let unreadable = |why: String| {
        Failure::Refused(format!("{why}; it says what an interrupted postls has left here"))
    };
    let Some(journal) = store.read::<Journal>(&store.journal()).map_err(unreadable)? else {
        return Ok(None);
    };
    // In each phase, since the lock files of the interrupted one may be there too.
    let edit = EditLocks::take(host, directory, &EDITED).map_err(Failure::Refused)?;
    let work = Work { host, directory, store: Some(store), edit: RefCell::new(Some(edit)) };
    let done = match journal.phase {
        Phase::Staging => {
            work.clear_away(&journal).map_err(Failure::Refused)?;
            Recovered::Undone
        }
        Phase::Done => {
            work.clear_away(&journal).map_err(Failure::Refused)?;
            Recovered::Finished
        }
        Phase::Placing => put_right_files(&work, journal.clone())?,
    };
    Ok(Some((said(&journal), done)))
}

fn put_right_files(work: &Work<'_>, mut journal: Journal) -> Result<Recovered, Failure> {
    let (host, directory) = (work.host, work.directory);
    let holds: Vec<Holds> = journal.steps.iter().map(|it| work.holds(it)).collect();
    let running = match journal.tell {
        Tell::NotNeeded => Running::No,
        Tell::Reload | Tell::Never => running::state(host, directory),
    };
    let all_placed = !holds.contains(&Holds::Old);
    let theirs: Vec<Step> = {
        let mut holds = holds.iter();
        let (theirs, ours) =
            journal.steps.drain(..).partition(|_| holds.next() == Some(&Holds::Other));
        journal.steps = ours;
        theirs
    };
    if all_placed {
        let changes = work.store.map(|it| journal.generation.changes(it)).transpose();
        let changes = changes.map_err(Failure::Refused)?.unwrap_or_default();
        // What somebody else has made of a file is not what we would look for in it.
        let theirs = |name: &str| theirs.iter().any(|it| it.target.0 == directory.join(name));
        let changes: Vec<&Change> = changes.iter().filter(|it| !theirs(it.name())).collect();
        return match work.conclude(journal, &changes, Some(&Before::unknown()), &running) {
            Ok(_) => Ok(Recovered::Finished),
            Err(Failure::PutBack(_)) => Ok(Recovered::Undone),
            Err(failure) => Err(failure),
        };
    }
    // The reload came behind the last file, so no Postfix was told.
    let all = journal.steps.len();
    match work.undo(&journal, all, "an apply was interrupted".to_owned(), None) {
        Failure::PutBack(_) => Ok(Recovered::Undone),
        failure @ (Failure::Refused(_) | Failure::Stale(_) | Failure::Stuck { .. }) => Err(failure),
    }
}
