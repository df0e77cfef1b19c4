//! Makes a plan true, or leaves everything as it was.
//!
//! All new files are written beside those that they replace, and indexes are
//! built and read back, before the first one is put in its place. Each is put
//! there by a rename: whoever opens it gets the old one or the new one, whole.
//! If a step fails, what was done is undone in reverse.
//!
//! Known limit: a crash between two renames leaves some files new and some
//! old, each of them whole.

pub mod index;
mod running;
pub mod settled;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::host::Host;
use crate::plan::{self, Change, Plan};
use running::Running;

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

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Whether files changed.
    pub changed: bool,
    /// What Postfix knows of it.
    pub postfix: Told,
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
    reload: Reload,
) -> Result<Done, Failure> {
    let mut work = Work { host, directory, renames: Vec::new(), backups: Vec::new() };
    let result = work.run(plan, reload);
    work.remove_leftovers();
    result
}

/// A staged file and the place it goes to.
struct Rename {
    from: PathBuf,
    to: PathBuf,
}

/// A replaced file: where it is, and its old bytes under a temporary name.
struct Backup {
    of: PathBuf,
    /// `None`: there was no such file.
    old: Option<PathBuf>,
}

struct Work<'h> {
    host: &'h dyn Host,
    directory: &'h Path,
    renames: Vec<Rename>,
    backups: Vec<Backup>,
}

impl Work<'_> {
    fn run(&mut self, plan: &Plan, reload: Reload) -> Result<Done, Failure> {
        let changed = !plan.changes.is_empty();
        let needed = changed && plan.reload;
        let wanted = match reload {
            Reload::Auto | Reload::Never => needed,
            Reload::Always => true,
        };
        // Asked while main.cf is the old one: Postfix's commands wait for a young file.
        let running = if wanted { running::state(self.host, self.directory) } else { Running::No };
        self.stage(plan).map_err(Failure::Refused)?;
        self.check_base(plan).map_err(Failure::Refused)?;
        for index in 0..self.renames.len() {
            let Rename { from, to } = &self.renames[index];
            if let Err(error) = self.host.rename(from, to) {
                // It may have failed before or behind the rename itself.
                return Err(self.put_back(index + 1, format!("{}: {error}", to.display())));
            }
        }
        let postfix = match (running, reload) {
            _ if !wanted => Told::NotNeeded,
            (Running::No, _) => Told::NotRunning,
            (Running::Yes, Reload::Never) => Told::NotTold("--reload never".to_owned()),
            (Running::Unknown(why), _) => {
                Told::NotTold(format!("cannot tell whether it runs: {why}"))
            }
            (Running::Yes, Reload::Auto | Reload::Always) => {
                if let Err(why) = running::reload(self.host, self.directory) {
                    return Err(self.put_back(self.renames.len(), why));
                }
                Told::Reloaded
            }
        };
        Ok(Done { changed, postfix })
    }

    /// Writes everything under temporary names, the old files too. In reverse,
    /// so that an index is younger than its source.
    fn stage(&mut self, plan: &Plan) -> Result<(), String> {
        for change in plan.changes.iter().rev() {
            match change {
                Change::Write { name, new, .. } => {
                    let target = self.target(name)?;
                    self.is_one_file(plan, name, &target)?;
                    let staged = self.staged(&target, new)?;
                    self.renames.push(Rename { from: staged, to: target });
                }
                Change::Remove { name, .. } => {
                    return Err(format!("{name}: removing is not possible yet"));
                }
                Change::Index { kind, name, text, .. } => {
                    // Beside the name in main.cf, also where that is a symbolic link.
                    let table = self.directory.join(name);
                    let source = self.staged(&table, text)?;
                    let built = index::build(self.host, self.directory, kind, &source, text);
                    let removed = self.host.remove(&source);
                    for (suffix, from) in index::files(kind, &source) {
                        let to = self.target(&format!("{name}.{suffix}"))?;
                        self.renames.push(Rename { from, to });
                    }
                    built?;
                    removed.map_err(|error| format!("{}: {error}", source.display()))?;
                    self.keep_attributes(index::files(kind, &source).len())?;
                }
            }
        }
        self.renames.reverse();
        for index in 0..self.renames.len() {
            let of = self.renames[index].to.clone();
            let old = if self.host.exists(&of) {
                let bytes =
                    self.host.read(&of).map_err(|error| format!("{}: {error}", of.display()))?;
                Some(self.staged(&of, &bytes)?)
            } else {
                None
            };
            self.backups.push(Backup { of, old });
        }
        Ok(())
    }

    /// An index gets the owner and mode of the one that it replaces.
    fn keep_attributes(&self, count: usize) -> Result<(), String> {
        let built = &self.renames[self.renames.len() - count..];
        for Rename { from, to } in built.iter().filter(|it| self.host.exists(&it.to)) {
            let copied = self.host.copy_attributes(to, from);
            copied.map_err(|error| format!("{}: {error}", to.display()))?;
        }
        Ok(())
    }

    /// A table that is main.cf or the policy file by another name would overwrite it.
    fn is_one_file(&self, plan: &Plan, name: &str, target: &Path) -> Result<(), String> {
        let same = |it: &&plan::Base| self.target(&it.name).is_ok_and(|path| path == target);
        match plan.base.iter().filter(same).nth(1) {
            Some(other) => Err(format!("{name} and {} are the same file", other.name)),
            None => Ok(()),
        }
    }

    /// The files are still those that the plan was made from.
    fn check_base(&self, plan: &Plan) -> Result<(), String> {
        for base in &plan.base {
            let path = self.directory.join(&base.name);
            let bytes = match self.host.read(&path) {
                Ok(bytes) => Some(bytes),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                Err(error) => return Err(format!("{}: {error}", path.display())),
            };
            if plan::base(&base.name, bytes.as_deref()) != *base {
                return Err(format!(
                    "{} changed in the meantime; run the command again",
                    path.display()
                ));
            }
        }
        Ok(())
    }

    /// Undoes the first `count` renames.
    fn put_back(&mut self, count: usize, why: String) -> Failure {
        let mut left = Vec::new();
        for backup in self.backups[..count].iter_mut().rev() {
            let of = backup.of.display();
            let undone = match &backup.old {
                Some(old) => self.host.rename(old, &backup.of),
                None if self.host.exists(&backup.of) => self.host.remove(&backup.of),
                None => Ok(()),
            };
            // A file that nothing can be put in the place of, such as a mounted one, is the old one.
            let is_old = |old: &PathBuf| {
                let same = self.host.read(old).ok().zip(self.host.read(&backup.of).ok());
                same.is_some_and(|(old, now)| old == now)
            };
            if undone.is_err() && backup.old.as_ref().is_some_and(is_old) {
                continue;
            }
            match (undone, backup.old.take()) {
                (Ok(()), _) => {}
                // The old bytes are worth keeping now.
                (Err(error), Some(old)) => {
                    left.push(format!("{of} ({error}); its old content is in {}", old.display()));
                }
                (Err(error), None) => left.push(format!("{of} ({error}); it was not there before")),
            }
        }
        if left.is_empty() { Failure::PutBack(why) } else { Failure::Stuck { why, left } }
    }

    /// Temporary files that were not put in a place. Failing to remove one is no failure.
    fn remove_leftovers(&self) {
        let staged = self.renames.iter().map(|it| &it.from);
        let old = self.backups.iter().filter_map(|it| it.old.as_ref());
        for path in staged.chain(old).filter(|it| self.host.exists(it)) {
            let _ = self.host.remove(path);
        }
    }

    /// The file itself, where `name` is a symbolic link.
    fn target(&self, name: &str) -> Result<PathBuf, String> {
        let path = self.directory.join(name);
        if !self.host.exists(&path) {
            return Ok(path);
        }
        self.host.resolve(&path).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn staged(&self, target: &Path, bytes: &[u8]) -> Result<PathBuf, String> {
        let error =
            |error: std::io::Error| format!("cannot write beside {}: {error}", target.display());
        self.host.stage(target, bytes).map_err(error)
    }
}

/// `tls_policy` and `lmdb` make `tls_policy.lmdb`.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}
