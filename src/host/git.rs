//! What git has staged, asked of the git program: its index, and the contents that this names.
//!
//! Git itself finds the repository and the index, so that the variables count which it sets for
//! hooks (GIT_DIR, GIT_INDEX_FILE). However many files are read, three processes are started, one for
//! each thread that reads, and one for each file that git-crypt or LFS keeps.

use std::collections::{BTreeMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Host, MAX_FILE, find};

/// What the index holds under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    /// The name of its contents.
    pub(super) object: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Link,
    /// Another repository, of which this one knows no file.
    Submodule,
}

/// The directory of the work tree, without symbolic links.
pub(super) fn top_level(host: &dyn Host) -> Result<PathBuf, String> {
    let mut said = ask(host, &["rev-parse", "--show-toplevel"])?;
    if said.ends_with(b"\n") {
        said.pop();
    }
    let path = PathBuf::from(OsString::from_vec(said));
    host.resolve(&path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The index, by the names that files have in the work tree.
pub(super) fn index(host: &dyn Host) -> Result<BTreeMap<PathBuf, Entry>, String> {
    let listed = ask(host, &["ls-files", "--stage", "--full-name", "-z", "--", ":/"])?;
    let mut entries = BTreeMap::new();
    let mut has_empty = false;
    for line in listed.split(|byte| *byte == 0).filter(|it| !it.is_empty()) {
        let (path, stage, entry) = read_line(line)
            .ok_or_else(|| format!("git says \"{}\"", String::from_utf8_lossy(line)))?;
        if stage != b"0" {
            return Err(format!(
                "{}: the merge is not finished; say which content is right with git add",
                path.display()
            ));
        }
        has_empty |= EMPTY.contains(&entry.object.as_str());
        entries.insert(path, entry);
    }
    // `git add --intent-to-add` writes an empty file to the index that no commit will have.
    if has_empty {
        let announced = ask(host, &["diff-files", "--name-only", "--diff-filter=A", "-z"])?;
        let names = announced.split(|byte| *byte == 0);
        let announced: HashSet<PathBuf> =
            names.map(|it| PathBuf::from(OsString::from_vec(it.to_vec()))).collect();
        entries.retain(|path, entry| {
            !(EMPTY.contains(&entry.object.as_str()) && announced.contains(path))
        });
    }
    Ok(entries)
}

/// The empty file, as repositories with SHA-1 and with SHA-256 call it.
const EMPTY: [&str; 2] = [
    "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
];

/// `MODE OBJECT STAGE<tab>PATH`
fn read_line(line: &[u8]) -> Option<(PathBuf, &[u8], Entry)> {
    let tab = line.iter().position(|byte| *byte == b'\t')?;
    let mut columns = line[..tab].split(|byte| *byte == b' ');
    let kind = match columns.next()? {
        b"120000" => Kind::Link,
        b"160000" => Kind::Submodule,
        // 100644, and 100755 where it may be executed.
        _ => Kind::File,
    };
    let object = String::from_utf8(columns.next()?.to_vec()).ok()?;
    let stage = columns.next()?;
    let path = PathBuf::from(OsString::from_vec(line[tab + 1..].to_vec()));
    Some((path, stage, Entry { kind, object }))
}

/// The contents as the work tree would have them, where git keeps them in another form.
///
/// A form that is not known here is none of Postfix's either, and rules will say so.
pub(super) fn unfiltered(
    host: &dyn Host,
    object: &str,
    path: &Path,
    bytes: Vec<u8>,
) -> io::Result<Vec<u8>> {
    let is_kept = |bytes: &[u8]| KEPT_ELSEWHERE.iter().any(|it| bytes.starts_with(it));
    if !is_kept(&bytes) {
        return Ok(bytes);
    }
    let mut way = OsString::from("--path=");
    way.push(path);
    let ran =
        host.run("git", &["cat-file".as_ref(), "--filters".as_ref(), &way, object.as_ref()], b"");
    match ran {
        Ok(ran) if ran.success && !is_kept(&ran.stdout) => Ok(ran.stdout),
        Ok(_) | Err(_) => Err(io::Error::other("git keeps it encrypted or elsewhere")),
    }
}

/// How contents begin that git-crypt and LFS keep.
const KEPT_ELSEWHERE: [&[u8]; 2] = [b"\0GITCRYPT\0", b"version https://git-lfs.github.com/spec/"];

/// What git prints, or why it prints nothing.
fn ask(host: &dyn Host, arguments: &[&str]) -> Result<Vec<u8>, String> {
    let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
    match host.run("git", &arguments, b"") {
        Ok(ran) if ran.success => Ok(ran.stdout),
        Ok(ran) => Err(format!("git says: {}", ran.stderr)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err("the git program is not installed".to_owned())
        }
        Err(error) => Err(format!("git: {error}")),
    }
}

/// The contents of objects, which git gives one after the other: a git for each thread that asks, so
/// that none waits for the answer to another one.
#[derive(Debug)]
pub(super) struct Objects {
    idle: Mutex<Vec<Conversation>>,
}

#[derive(Debug)]
struct Conversation {
    child: Child,
    /// Gone when it is to end.
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Objects {
    pub(super) fn open() -> io::Result<Objects> {
        Ok(Objects { idle: Mutex::new(vec![Conversation::open()?]) })
    }

    pub(super) fn read(&self, object: &str) -> io::Result<Vec<u8>> {
        // Taken out by itself: while a git answers, others may be asked.
        let idle = self.idle().pop();
        let mut conversation = idle.map_or_else(Conversation::open, Ok)?;
        let bytes = conversation.read(object);
        // Of one that failed, nobody knows what it would answer next.
        if bytes.is_ok() {
            self.idle().push(conversation);
        }
        bytes
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Conversation>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Conversation {
    fn open() -> io::Result<Conversation> {
        let mut child = Command::new(find("git"))
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let questions = child.stdin.take();
        let answers = child.stdout.take().ok_or_else(|| io::Error::other("git has no output"))?;
        Ok(Conversation { child, questions, answers: BufReader::new(answers) })
    }

    fn read(&mut self, object: &str) -> io::Result<Vec<u8>> {
        let ended = || io::Error::other("git cat-file has ended");
        let questions = self.questions.as_mut().ok_or_else(ended)?;
        questions.write_all(format!("{object}\n").as_bytes())?;
        questions.flush()?;
        let mut heading = String::new();
        self.answers.read_line(&mut heading)?;
        // `OBJECT blob SIZE`; `OBJECT missing`, in a repository that lost it.
        let size = heading.trim_end().rsplit_once(" blob ").map(|it| it.1.parse());
        let Some(Ok(size)) = size else {
            return Err(if heading.is_empty() {
                ended()
            } else {
                io::Error::other(format!("git says: {}", heading.trim_end()))
            });
        };
        let mut bytes = Vec::new();
        let behind: u64 = 1;
        if size > MAX_FILE {
            io::copy(&mut (&mut self.answers).take(size + behind), &mut io::sink())?;
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "has 4 GiB or more"));
        }
        (&mut self.answers).take(size).read_to_end(&mut bytes)?;
        let mut line_end = [0];
        self.answers.read_exact(&mut line_end).map_err(|_| ended())?;
        Ok(bytes)
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        // That is how it learns that nobody will ask again.
        self.questions = None;
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_index_are_read() {
        let read = |line: &[u8]| {
            let (path, stage, entry) = read_line(line)?;
            Some((path.into_os_string().into_vec(), stage.to_vec(), entry.kind, entry.object))
        };
        for (line, want) in [
            (
                &b"100755 e69de29 0\ta b\n\xff\tc"[..],
                Some((b"a b\n\xff\tc".to_vec(), b"0".to_vec(), Kind::File, "e69de29".to_owned())),
            ),
            (
                b"120000 0123 2\tlink",
                Some((b"link".to_vec(), b"2".to_vec(), Kind::Link, "0123".to_owned())),
            ),
            (
                b"160000 0123 0\tother",
                Some((b"other".to_vec(), b"0".to_vec(), Kind::Submodule, "0123".to_owned())),
            ),
            (b"100644 0123", None),
            (b"100644\tx", None),
            (b"", None),
        ] {
            assert_eq!(read(line), want, "{}", String::from_utf8_lossy(line));
        }
    }
}
