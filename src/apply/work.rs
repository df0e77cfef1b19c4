//! The road of an apply: lock, journal, stage, place, verify, tell, record; and backwards.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::edit_lock::EditLocks;
use super::generation::{self, Built, Generation, Kept, Replaced};
use super::journal::{self, Journal, Phase, Place, Step, Tell};
use super::running::{self, Master, Running};
use super::store::{self, Store};
use super::verify::{self, Before};
use super::{Done, Failure, Options, Record, Reload, Told, index, recovery};
use crate::host::{Host, temporary_prefix};
use crate::plan::{self, Change, Plan};

/// Makes a plan true that has something to do.
pub(super) fn run(
    host: &dyn Host,
    directory: &Path,
    plan: &Plan,
    options: &Options<'_>,
) -> Result<Done, Failure> {
    let changes = in_order(&plan.changes);
    let mut names: BTreeSet<&str> = changes.iter().map(|it| it.name()).collect();
    let opened = match options.record {
        Record::Nothing => None,
        Record::Generation { .. } => {
            names.extend(plan.base.iter().map(|it| it.name.as_str()));
            Some(Store::open(host, directory).map_err(Failure::Refused)?)
        }
    };
    let store = opened.as_ref().map(|(store, _)| store);
    if let Some(store) = store
        && let Some((_, done)) = recovery::put_right(host, directory, store)?
    {
        return Err(Failure::Stale(format!("an interrupted apply was {done} first")));
    }
    let names: Vec<&str> = names.into_iter().collect();
    let edit = EditLocks::take(host, directory, &names).map_err(Failure::Refused)?;
    check_base(host, directory, plan)?;
    let tell = match options.reload {
        Reload::Auto if plan.reload => Tell::Reload,
        Reload::Never if plan.reload => Tell::Never,
        Reload::Auto | Reload::Never => Tell::NotNeeded,
        Reload::Always => Tell::Reload,
    };
    // Both are asked while main.cf is the old one: Postfix's commands wait for a young file.
    let running = store.map_or(Running::No, |_| running::state(host, directory));
    let before = store.map(|_| verify::before(host, directory, &running));
    let work = Work { host, directory, store, edit: RefCell::new(Some(edit)) };
    let mut journal = Journal {
        schema: journal::SCHEMA.to_owned(),
        phase: Phase::Staging,
        steps: Vec::new(),
        beside: work.beside(&changes).map_err(Failure::Refused)?,
        tell,
        generation: work.draft(plan, &changes, options).map_err(Failure::Refused)?,
    };
    let staged = work
        .write(&journal)
        .and_then(|()| work.stage(plan, &changes, &mut journal.steps))
        .and_then(|staged| {
            journal.phase = Phase::Placing;
            work.write(&journal).map(|()| staged)
        });
    let staged = match staged {
        Ok(staged) => staged,
        Err(why) => {
            // What cannot be cleared away now is cleared away by the next one.
            let _ = work.clear_away(&journal);
            return Err(Failure::Refused(why));
        }
    };
    for (at, (step, staged)) in journal.steps.iter().zip(&staged).enumerate() {
        if let Err(error) = work.place(step, staged.as_deref()) {
            // It may have failed before or behind the rename itself.
            let why = format!("{}: {error}", step.target.0.display());
            return Err(work.undo(&journal, at + 1, why, None));
        }
    }
    let mut done = work.conclude(journal, &changes, before.as_ref(), &running)?;
    if let (Some(store), Record::Generation { keep, .. }) = (store, &options.record) {
        done.notes.extend(store.prune(*keep).err());
    }
    Ok(done)
}

/// Tables first, then master.cf, then main.cf, and what goes away.
fn in_order(changes: &[Change]) -> Vec<&Change> {
    let rank = |change: &&Change| match change {
        Change::Remove { .. } => 3,
        Change::Write { name, .. } if name == "main.cf" => 2,
        Change::Write { name, .. } if name == "master.cf" => 1,
        Change::Write { .. } | Change::Index { .. } => 0,
    };
    let mut changes: Vec<&Change> = changes.iter().collect();
    changes.sort_by_key(rank);
    changes
}

/// The files are still those that the plan was made from.
fn check_base(host: &dyn Host, directory: &Path, plan: &Plan) -> Result<(), Failure> {
    for base in &plan.base {
        let path = directory.join(&base.name);
        let bytes = match host.read(&path) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(Failure::Refused(format!("{}: {error}", path.display()))),
        };
        if plan::base(&base.name, bytes.as_deref()) != *base {
            return Err(Failure::Stale(format!("{} changed in the meantime", path.display())));
        }
    }
    Ok(())
}

/// What a place holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Old,
    New,
    /// Somebody else has been there.
    Other,
}

pub(super) struct Work<'w> {
    pub(super) host: &'w dyn Host,
    pub(super) directory: &'w Path,
    /// `None`: nothing is kept.
    pub(super) store: Option<&'w Store<'w>>,
    /// Given back while the journal is still there, so that a crash leaves no lock file that nobody knows of.
    pub(super) edit: RefCell<Option<EditLocks<'w>>>,
}

impl Work<'_> {
    fn write(&self, journal: &Journal) -> Result<(), String> {
        self.store.map_or(Ok(()), |store| store.write(&store.journal(), journal))
    }

    /// The files beside which there will be temporary ones.
    fn beside(&self, changes: &[&Change]) -> Result<Vec<Place>, String> {
        let mut beside = Vec::new();
        for change in changes {
            let name = change.name();
            beside.push(Place(self.target(name)?));
            if let Change::Index { kind, .. } = change {
                // Beside the name in main.cf, also where that is a symbolic link.
                let table = self.directory.join(name);
                for (suffix, _) in index::files(kind, &table) {
                    beside.push(Place(self.target(&format!("{name}.{suffix}"))?));
                }
                beside.push(Place(table));
            }
        }
        Ok(beside)
    }

    /// What history will say; the old bytes, and the new ones, are kept from now on.
    fn draft(
        &self,
        plan: &Plan,
        changes: &[&Change],
        options: &Options<'_>,
    ) -> Result<Generation, String> {
        let (command, policy) = match options.record {
            Record::Generation { command, policy, .. } => (command, policy),
            Record::Nothing => ("", None),
        };
        let mut draft = Generation {
            schema: generation::SCHEMA.to_owned(),
            number: 0,
            time: self.host.unix_time(),
            command: command.to_owned(),
            policy: policy.map(str::to_owned),
            note: plan.note.clone(),
            files: Vec::new(),
            indexes: Vec::new(),
        };
        let Some(store) = self.store else { return Ok(draft) };
        draft.number = store.numbers()?.last().map_or(1, |last| last + 1);
        for change in changes {
            let (name, kind, old, new) = match change {
                Change::Write { name, kind, old, new } => (name, kind, old.as_ref(), Some(new)),
                Change::Remove { name, old: Some(old) } => (name, &None, Some(old), None),
                Change::Remove { old: None, .. } => continue,
                Change::Index { kind, name, .. } => {
                    draft.indexes.push(Built { kind: kind.clone(), name: name.clone() });
                    continue;
                }
            };
            let path = self.target(name)?;
            let mode = self.host.attributes(&path).map_or(0o644, |it| it.mode);
            let keep = |bytes: Option<&Vec<u8>>| -> Result<Option<Kept>, String> {
                let Some(bytes) = bytes else { return Ok(None) };
                Ok(Some(Kept { sha256: store.keep(bytes)?, mode }))
            };
            let (before, after) = (keep(old)?, keep(new)?);
            let (name, kind) = (name.clone(), kind.clone());
            draft.files.push(Replaced { name, kind, before, after });
        }
        Ok(draft)
    }

    /// Writes everything under temporary names, and gives what is there a second one. In reverse, so
    /// that an index is younger than its source. The names of the new files, as the steps go.
    fn stage(
        &self,
        plan: &Plan,
        changes: &[&Change],
        steps: &mut Vec<Step>,
    ) -> Result<Vec<Option<PathBuf>>, String> {
        let mut staged = Vec::new();
        for change in changes.iter().rev() {
            match change {
                Change::Write { name, new, .. } => {
                    let target = self.target(name)?;
                    self.is_one_file(plan, name, &target)?;
                    staged.push((target.clone(), Some(self.staged(&target, new)?)));
                }
                Change::Remove { name, .. } => staged.push((self.directory.join(name), None)),
                Change::Index { kind, name, text, .. } => {
                    for (target, from) in self.build(kind, name, text)? {
                        staged.push((target, Some(from)));
                    }
                }
            }
        }
        staged.reverse();
        let mut files = Vec::new();
        for (target, from) in staged {
            let kept = if self.host.exists(&target) { Some(self.keep(&target)?) } else { None };
            let digest = match &from {
                Some(from) => Some(store::digest(&self.read(from)?)),
                None => None,
            };
            steps.push(Step { target: Place(target), digest, kept: kept.map(Place) });
            files.push(from);
        }
        Ok(files)
    }

    /// Builds an index under a temporary name: where each of its files goes, and where it is.
    fn build(
        &self,
        kind: &str,
        name: &str,
        text: &[u8],
    ) -> Result<Vec<(PathBuf, PathBuf)>, String> {
        let source = self.staged(&self.directory.join(name), text)?;
        index::build(self.host, self.directory, kind, &source, text)?;
        self.host.remove(&source).map_err(|error| format!("{}: {error}", source.display()))?;
        let mut built = Vec::new();
        for (suffix, from) in index::files(kind, &source) {
            let target = self.target(&format!("{name}.{suffix}"))?;
            if self.host.exists(&target) {
                let copied = self.host.copy_attributes(&target, &from);
                copied.map_err(|error| format!("{}: {error}", target.display()))?;
            }
            let flushed = self.host.flush(&from);
            flushed.map_err(|error| format!("{}: {error}", from.display()))?;
            built.push((target, from));
        }
        Ok(built)
    }

    /// A file that would lose its other names is left alone.
    fn keep(&self, target: &Path) -> Result<PathBuf, String> {
        let error = |error: std::io::Error| format!("{}: {error}", target.display());
        let links = self.host.attributes(target).map_err(error)?.links;
        if links > 1 {
            return Err(format!(
                "{} has {links} names (hard links), and a new file would take only this one from the \
                 old file; give it a file of its own",
                target.display()
            ));
        }
        self.host.keep(target).map_err(error)
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        self.host.read(path).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// A table that is main.cf or the policy file by another name would overwrite it.
    fn is_one_file(&self, plan: &Plan, name: &str, target: &Path) -> Result<(), String> {
        let same = |it: &&plan::Base| self.target(&it.name).is_ok_and(|path| path == target);
        match plan.base.iter().filter(same).find(|it| it.name != name) {
            Some(other) => Err(format!("{name} and {} are the same file", other.name)),
            None => Ok(()),
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

    fn place(&self, step: &Step, staged: Option<&Path>) -> std::io::Result<()> {
        match staged {
            Some(staged) => self.host.rename(staged, &step.target.0),
            None => self.host.remove(&step.target.0),
        }
    }

    /// All files are in their places: verifies, tells a running Postfix, and records it.
    pub(super) fn conclude(
        &self,
        mut journal: Journal,
        changes: &[&Change],
        before: Option<&Before>,
        running: &Running,
    ) -> Result<Done, Failure> {
        let all = journal.steps.len();
        let mut notes = Vec::new();
        if let Some(before) = before {
            match verify::verify(self.host, self.directory, changes, before) {
                Ok(said) => notes.extend(said),
                Err(why) => return Err(self.undo(&journal, all, why, None)),
            }
        }
        let mut told = None;
        let postfix = match (journal.tell, running) {
            (Tell::NotNeeded, _) => Told::NotNeeded,
            (_, Running::No) => Told::NotRunning,
            (_, Running::Unknown(why)) => {
                Told::NotTold(format!("cannot tell whether it runs: {why}"))
            }
            (Tell::Never, Running::Yes(_)) => Told::NotTold("--reload never".to_owned()),
            (Tell::Reload, Running::Yes(master)) => {
                told = Some(master);
                if let Err(why) = running::reload(self.host, self.directory, master) {
                    return Err(self.undo(&journal, all, why, told));
                }
                Told::Reloaded
            }
        };
        let mut generation = None;
        if let Some(store) = self.store {
            if let Err(why) = store.write_generation(&journal.generation) {
                return Err(self.undo(&journal, all, why, told));
            }
            generation = Some(journal.generation.number);
            journal.phase = Phase::Done;
            // If this fails, the next one finds that all is done.
            notes.extend(self.write(&journal).err());
        }
        notes.extend(self.clear_away(&journal).err());
        Ok(Done { changed: true, postfix, generation, notes })
    }

    /// Undoes the first `count` steps, the last one first, and tells a Postfix that was told.
    pub(super) fn undo(
        &self,
        journal: &Journal,
        count: usize,
        why: String,
        told: Option<&Master>,
    ) -> Failure {
        let mut left = Vec::new();
        for step in journal.steps[..count].iter().rev() {
            if let Err(said) = self.undo_step(step) {
                left.push(said);
            }
        }
        if !left.is_empty() {
            return Failure::Stuck { why, left };
        }
        // What fails from here on is for the next one, who finds the journal.
        if let Some(store) = self.store {
            left.extend(store.remove_generation(journal.generation.number).err());
        }
        if let Some(master) = told
            && let Err(error) = running::bring_back(self.host, self.directory, master)
        {
            left.push(format!("Postfix goes on with what it has read: {error}"));
        }
        if left.is_empty() {
            // Each file is the old one again. From here on nobody may conclude from missing old files that
            // somebody else has been there.
            let undone = Journal { phase: Phase::Staging, ..journal.clone() };
            left.extend(self.write(&undone).and_then(|()| self.clear_away(journal)).err());
        }
        match left.join("; ") {
            said if said.is_empty() => Failure::PutBack(why),
            said => Failure::PutBack(format!("{why} ({said})")),
        }
    }

    /// What a place holds now.
    pub(super) fn holds(&self, step: &Step) -> Holds {
        let now = self.host.read(&step.target.0).ok();
        let there = self.host.exists(&step.target.0);
        let is_old = match &step.kept {
            Some(Place(kept)) => now.is_some() && self.host.read(kept).ok() == now,
            None => !there,
        };
        let is_new = match &step.digest {
            Some(digest) => now.as_ref().is_some_and(|it| store::digest(it) == *digest),
            None => !there,
        };
        match (is_old, is_new) {
            (true, _) => Holds::Old,
            (false, true) => Holds::New,
            (false, false) => Holds::Other,
        }
    }

    /// Puts back what was there; what somebody else has put there since stays.
    fn undo_step(&self, step: &Step) -> Result<(), String> {
        let target = &step.target.0;
        let shown = target.display();
        let old = step.kept.as_ref().map(|it| &it.0);
        match self.holds(step) {
            Holds::Old => return Ok(()),
            Holds::New => {}
            Holds::Other => {
                let where_is = old.map_or("it was not there before".to_owned(), |old| {
                    format!("its old content is in {}", old.display())
                });
                return Err(format!("{shown} was changed by somebody else; {where_is}"));
            }
        }
        match old {
            Some(old) => {
                let back = self.host.rename(old, target);
                // What was reported may be what came behind it.
                if back.is_err() && self.holds(step) == Holds::Old {
                    return Ok(());
                }
                back.map_err(|error| {
                    format!("{shown} ({error}); its old content is in {}", old.display())
                })
            }
            None => self.host.remove(target).or_else(|error| {
                if self.host.exists(target) {
                    Err(format!("{shown} ({error}); it was not there before"))
                } else {
                    Ok(())
                }
            }),
        }
    }

    /// Removes what is temporary, and then the journal.
    pub(super) fn clear_away(&self, journal: &Journal) -> Result<(), String> {
        for Place(file) in &journal.beside {
            let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else { continue };
            let prefix = temporary_prefix(Path::new(name));
            let prefix = prefix.as_encoded_bytes();
            let names = self.host.names(folder);
            let names = names.map_err(|error| format!("{}: {error}", folder.display()))?;
            let is_ours = |it: &&OsString| {
                // A postmap that was killed leaves the name under which Berkeley DB makes a file.
                let name = it.as_encoded_bytes();
                name.strip_prefix(b"__db.").unwrap_or(name).starts_with(prefix)
            };
            for name in names.iter().filter(is_ours) {
                let path = folder.join(name);
                self.host.remove(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            }
        }
        drop(self.edit.take());
        let Some(store) = self.store else { return Ok(()) };
        store.remove(&store.journal())
    }
}
