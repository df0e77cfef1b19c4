//! Whether everything is still as it was when a configuration was last seen to be as wanted.
//!
//! A plan is a function of what the host answers. So the planning of `apply` asks a [`Witness`],
//! which notes each question with its answer, or with the answer's digest. Where the plan was empty, or
//! was made true, the notes are written to `.postls/settled.json`; the next `apply` asks the same
//! questions first. If all answers are the same, planning would end as it did, with nothing to do,
//! and need not be done again: a policy file with a million destinations is then read, but not
//! understood.
//!
//! Nobody has to know what a plan depends on: a rule that looks at one file more is covered when it
//! does. The day is a question like others, so that the notes are good for a day. Where anything is
//! not as noted, or cannot be told, or the notes are not whole or another postls's, the answer is no,
//! and the long way is gone.

mod question;
mod witness;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::index;
use super::store::FOLDER;
use crate::host::{Host, temporary_prefix};
use crate::plan::{Change, Plan};
use crate::text::on_all_processors;
use question::{Answer, Question};
pub use witness::Witness;

/// The notes, in there.
const NOTES: &str = "settled.json";

/// The notes of one planning.
#[derive(Serialize, Deserialize)]
struct Notes {
    /// Which postls asked.
    asked_by: Program,
    /// What the command line said that decides on the plan.
    request: String,
    /// Where; the notes may have been copied with their directory.
    directory: PathBuf,
    answers: Vec<(Question, Answer)>,
}

/// A postls, as far as it can be told from another one at little cost.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Program {
    version: String,
    /// The size of its file.
    size: u64,
    /// When that was written, in seconds.
    modified: i64,
}

impl Program {
    /// This one, where the host can tell.
    fn of_this_process(host: &dyn Host) -> Option<Program> {
        let file = host.attributes(Path::new("/proc/self/exe")).ok()?;
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Some(Program { version, size: file.size, modified: file.modified })
    }
}

/// Whether a plan made now would certainly have nothing to do. `request` is what the command line
/// says that decides on a plan.
pub fn holds(host: &(dyn Host + Sync), directory: &Path, request: &str) -> bool {
    let state = directory.join(FOLDER);
    if host.exists(&state.join("journal.json")) {
        return false;
    }
    let Some(notes) = host.read(&state.join(NOTES)).ok().and_then(|it| read(&it)) else {
        return false;
    };
    notes.request == request
        && notes.directory == directory
        && Program::of_this_process(host).as_ref() == Some(&notes.asked_by)
        // At first what costs nothing: most changes change a size.
        && notes.answers.iter().all(|(question, answer)| question.may_have(answer, host))
        && are_the_same(host, &notes.answers)
}

/// Asks all of them, several at a time: nearly all of the time goes into the digests of a few files.
fn are_the_same(host: &(dyn Host + Sync), answers: &[(Question, Answer)]) -> bool {
    // After one that is not, nobody need ask on.
    let goes_on = AtomicBool::new(true);
    let is_same = |(question, answer): &(Question, Answer)| {
        let is_same = goes_on.load(Ordering::Relaxed) && question.ask(host) == *answer;
        goes_on.fetch_and(is_same, Ordering::Relaxed);
        is_same
    };
    on_all_processors(answers, is_same).into_iter().all(|it| it)
}

/// Notes that nothing has to be done where `witness` was asked: after a plan that was empty, or
/// `plan` that was made true and after which, as its maker knows, an empty one follows.
///
/// Does nothing where no state is kept. That it fails costs only time later, and is no failure.
pub fn record(witness: &Witness<'_>, directory: &Path, request: &str, plan: &Plan) {
    let host = witness.host();
    let state = directory.join(FOLDER);
    if !host.is_directory(&state) {
        return;
    }
    let Some(mut answers) = witness.answers().and_then(|it| after(host, directory, plan, it))
    else {
        return;
    };
    // What postls keeps says what a change is called, and not whether there is one.
    answers.retain(|(question, _)| !question.is_below(&state));
    let Some(asked_by) = Program::of_this_process(host) else { return };
    let (request, directory) = (request.to_owned(), directory.to_owned());
    let notes = Notes { asked_by, request, directory, answers };
    // What a crash has left of them.
    let prefix = temporary_prefix(Path::new(NOTES));
    let is_left = |it: &OsString| it.as_encoded_bytes().starts_with(prefix.as_encoded_bytes());
    for name in host.names(&state).unwrap_or_default().into_iter().filter(is_left) {
        let _ = host.remove(&state.join(name));
    }
    if let Some(bytes) = write(&notes) {
        let _ = host.store(&state.join(NOTES), &bytes);
    }
}

/// The answers as they are after `plan`: what it wrote is known, and the indexes that it built are
/// looked at. `None`: it did something of which that cannot be said.
fn after(
    host: &dyn Host,
    directory: &Path,
    plan: &Plan,
    mut answers: Vec<(Question, Answer)>,
) -> Option<Vec<(Question, Answer)>> {
    for change in &plan.changes {
        let now = match change {
            Change::Write { name, new, .. } => {
                vec![(directory.join(name), Some(Answer::of_bytes(new)))]
            }
            Change::Index { kind, name, .. } => {
                let files = index::files(kind, &directory.join(name)).into_iter();
                files.map(|(_, file)| (file, None)).collect()
            }
            Change::Remove { .. } => return None,
        };
        for (path, answer) in now {
            answers.retain(|(question, _)| !question.is_about(&path));
            let question = Question::Read(path);
            let answer = answer.unwrap_or_else(|| question.ask(host));
            answers.push((question, answer));
        }
    }
    Some(answers)
}

/// The notes in one line, and their digest in another.
fn write(notes: &Notes) -> Option<Vec<u8>> {
    // A path that is not UTF-8 cannot be noted.
    let mut bytes = serde_json::to_vec(notes).ok()?;
    let digest = digest(&bytes);
    bytes.push(b'\n');
    bytes.extend_from_slice(digest.as_bytes());
    bytes.push(b'\n');
    Some(bytes)
}

/// Notes that are whole.
fn read(bytes: &[u8]) -> Option<Notes> {
    let mut lines = bytes.split(|it| *it == b'\n');
    let (notes, whole) = (lines.next()?, lines.next()?);
    if digest(notes).as_bytes() != whole {
        return None;
    }
    serde_json::from_slice(notes).ok()
}

/// SHA-256 in lower-case hexadecimal digits.
fn digest(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}
