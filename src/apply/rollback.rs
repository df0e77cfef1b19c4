//! The generations, and the plan that goes back to an earlier one.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use super::generation::{Generation, Kept, Replaced};
use super::index;
use super::store::{Store, digest};
use crate::host::Host;
use crate::plan::{self, Change, Plan, Stale};

/// The way back.
#[derive(Debug)]
pub struct Back {
    /// The generation that it leads to; 0: what was before the first one.
    pub number: u64,
    /// What has to happen.
    pub plan: Plan,
    /// Files that somebody else has changed since, so that going back would lose it.
    pub lost: Vec<Lost>,
}

/// A file that is not as the last generation left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Relative to the configuration directory.
    pub name: String,
}

/// All generations that are kept, the oldest first.
pub fn history(host: &dyn Host, directory: &Path) -> Result<Vec<Generation>, String> {
    let store = Store::of(host, directory);
    let numbers = store.numbers()?;
    numbers.into_iter().filter_map(|it| store.generation(it).transpose()).collect()
}

/// A file as postls left it when it changed it last; `None`: it has not, or that is not known here.
pub fn written(host: &dyn Host, directory: &Path, name: &str) -> Option<Vec<u8>> {
    let store = Store::of(host, directory);
    for number in store.numbers().ok()?.into_iter().rev() {
        let generation = store.generation(number).ok()??;
        if let Some(file) = generation.files.iter().find(|it| it.name == name) {
            return store.object(&file.after.as_ref()?.sha256).ok();
        }
    }
    None
}

/// What a generation has changed.
pub fn changes_of(
    host: &dyn Host,
    directory: &Path,
    generation: &Generation,
) -> Result<Vec<Change>, String> {
    generation.changes(&Store::of(host, directory))
}

/// A file on the way back.
struct File<'g> {
    /// What it was before the first of the generations that are undone.
    wanted: Option<&'g Kept>,
    /// What the last of them left.
    left: Option<&'g Kept>,
    kind: Option<&'g str>,
}

/// The plan that makes of each file what it was when generation `number` was made; `None`: the one before
/// the last. For the last one: what postls left, whatever others have made of it.
pub fn back_to(host: &dyn Host, directory: &Path, number: Option<u64>) -> Result<Back, String> {
    let store = Store::of(host, directory);
    let generations = history(host, directory)?;
    let (Some(oldest), Some(newest)) = (generations.first(), generations.last()) else {
        return Err(format!("postls has changed nothing in {} yet", directory.display()));
    };
    let number = number.unwrap_or(newest.number - 1);
    if number > newest.number || number + 1 < oldest.number {
        let range = (oldest.number - 1, newest.number);
        return Err(format!("there are generations from {} to {}; not {number}", range.0, range.1));
    }
    let mut files: BTreeMap<&str, File<'_>> = BTreeMap::new();
    for generation in &generations {
        for Replaced { name, kind, before, after } in &generation.files {
            let wanted = if number == newest.number { after } else { before };
            if number != newest.number && generation.number <= number {
                continue;
            }
            let file = files.entry(name).or_insert_with(|| File {
                wanted: wanted.as_ref(),
                left: None,
                kind: kind.as_deref(),
            });
            file.left = after.as_ref();
            if number == newest.number {
                file.wanted = after.as_ref();
            }
        }
    }
    let mut plan = Plan::default();
    let mut lost = Vec::new();
    for (name, file) in files {
        let path = directory.join(name);
        let live = match host.read(&path) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(format!("{}: {error}", path.display())),
        };
        plan.base.push(plan::base(name, live.as_deref()));
        let wanted = file.wanted.map(|it| store.object(&it.sha256)).transpose()?;
        if live == wanted {
            continue;
        }
        if live.as_deref().map(digest).as_ref() != file.left.map(|it| &it.sha256) {
            lost.push(Lost { name: name.to_owned() });
        }
        if let (None, Some(kept)) = (&live, file.wanted)
            && kept.mode & 0o004 == 0
        {
            return Err(format!(
                "{}: it is gone, and not everybody was allowed to read it; put it back by hand from {}",
                path.display(),
                store.object_file(&kept.sha256).display()
            ));
        }
        add(host, directory, name, file.kind, live, wanted, &mut plan);
    }
    Ok(Back { number, plan, lost })
}

/// The changes that make `wanted` of one file.
fn add(
    host: &dyn Host,
    directory: &Path,
    name: &str,
    kind: Option<&str>,
    live: Option<Vec<u8>>,
    wanted: Option<Vec<u8>>,
    plan: &mut Plan,
) {
    let path = directory.join(name);
    let indexes = kind.map(|kind| index::files(kind, &path)).unwrap_or_default();
    let is_indexed = !indexes.is_empty();
    plan.reload |= !is_indexed;
    let kind = kind.map(str::to_owned);
    let Some(new) = wanted else {
        plan.changes.push(Change::Remove { name: name.to_owned(), old: live });
        for (suffix, _) in indexes.iter().filter(|(_, file)| host.exists(file)) {
            plan.changes.push(Change::Remove { name: format!("{name}.{suffix}"), old: None });
        }
        return;
    };
    if let Some(kind) = kind.clone().filter(|_| is_indexed) {
        let (name, text) = (name.to_owned(), new.clone());
        plan.changes.push(Change::Index { kind, name, text, why: Stale::SourceChanges });
    }
    plan.changes.push(Change::Write { name: name.to_owned(), kind, old: live, new });
}
