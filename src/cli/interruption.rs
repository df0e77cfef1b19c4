//! An apply that was interrupted: saying so, and putting it right.

use std::path::Path;

use super::complain;
use crate::apply::{self, Failure, Interrupted};
use crate::host::Host;
use crate::report::history::time;

/// Says so, for commands that only look.
pub(super) fn mention(host: &dyn Host, directory: &Path) {
    if let Some(it) = apply::interrupted(host, directory) {
        complain(&format!(
            "{}; the files here may be partly new: `postls apply` or `postls rollback` puts that right",
            said(&it)
        ));
    }
}

/// Puts it right, for commands that change files, unless they are only to look.
pub(super) fn put_right(host: &dyn Host, directory: &Path, then: Then) -> Result<(), Failure> {
    match then {
        Then::Look => mention(host, directory),
        Then::Change => {
            if let Some((it, how)) = apply::recover(host, directory)? {
                complain(&format!("{}; it was {how} now", said(&it)));
            }
        }
    }
    Ok(())
}

/// What a command is about to do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// Only look.
    Look,
    /// Change files.
    Change,
}

fn said(it: &Interrupted) -> String {
    format!("`postls {}` of {} was interrupted", it.command, time(it.time))
}
