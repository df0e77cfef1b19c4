//! A generation: what one apply has changed, and enough to change it back.

use serde::{Deserialize, Serialize};

use super::store::Store;
use crate::plan::{Change, Note, Stale};

/// The form of the file.
pub(super) const SCHEMA: &str = "postls/generation/v1";

/// What an apply has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// The name of this form.
    pub schema: String,
    /// Counted from 1.
    pub number: u64,
    /// When, in seconds since 1970-01-01 UTC.
    pub time: u64,
    /// The command, in words: `apply`, `rollback 3`.
    pub command: String,
    /// The policy file, where there was one.
    pub policy: Option<String>,
    /// What asks for less since then, and why.
    pub note: Note,
    /// The files that were written or removed, in that order.
    pub files: Vec<Replaced>,
    /// The indexes that were built.
    pub indexes: Vec<Built>,
}

/// A file before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    /// Relative to the configuration directory.
    pub name: String,
    /// The lookup table type by which Postfix asks it, where it is a table.
    pub kind: Option<String>,
    /// What it was; `None`: it was not there.
    pub before: Option<Kept>,
    /// What it became; `None`: it was removed.
    pub after: Option<Kept>,
}

/// The kept bytes of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Their SHA-256, which is the name of the file that has them.
    pub sha256: String,
    /// The file's permission bits.
    pub mode: u32,
}

/// An index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Built {
    /// The lookup table type.
    pub kind: String,
    /// The table, relative to the configuration directory.
    pub name: String,
}

impl Generation {
    /// The names of the kept bytes that it needs.
    pub(super) fn objects(&self) -> impl Iterator<Item = &str> {
        let kept = self.files.iter().flat_map(|it| [&it.before, &it.after]);
        kept.flatten().map(|it| it.sha256.as_str())
    }

    /// What it changed, as a plan says it.
    pub(super) fn changes(&self, store: &Store<'_>) -> Result<Vec<Change>, String> {
        let bytes =
            |kept: &Option<Kept>| kept.as_ref().map(|it| store.object(&it.sha256)).transpose();
        let mut changes = Vec::new();
        for built in &self.indexes {
            let source = self.files.iter().find(|it| it.name == built.name);
            if let Some(text) = source.map(|it| bytes(&it.after)).transpose()?.flatten() {
                let (kind, name) = (built.kind.clone(), built.name.clone());
                changes.push(Change::Index { kind, name, text, why: Stale::SourceChanges });
            }
        }
        for file in &self.files {
            let (name, kind) = (file.name.clone(), file.kind.clone());
            let old = bytes(&file.before)?;
            changes.push(match bytes(&file.after)? {
                Some(new) => Change::Write { name, kind, old, new },
                None => Change::Remove { name, old },
            });
        }
        Ok(changes)
    }
}
