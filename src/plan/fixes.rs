//! The plan that puts in place what fixes have made of files.

use super::{Base, Change, Note, Plan, Stale};

/// A file and what fixes have made of it.
pub struct Fixed {
    /// Relative to the configuration directory, or absolute.
    pub name: String,
    /// Its bytes now.
    pub old: Vec<u8>,
    /// Its bytes afterwards.
    pub new: Vec<u8>,
    /// The lookup table types of its indexed files, which would be older than it.
    pub indexes: Vec<String>,
    /// How a running Postfix comes to know of it.
    pub noticed: Noticed,
}

/// How a running Postfix comes to know that a file is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noticed {
    /// By itself, or it never reads the file.
    ByItself,
    /// When it is told to read its files again.
    OnReload,
}

/// Makes the plan; `base`: the files that were read to find out what is to be fixed.
pub fn of_fixes(files: Vec<Fixed>, base: Vec<Base>) -> Plan {
    let files: Vec<Fixed> = files.into_iter().filter(|it| it.old != it.new).collect();
    let reload = files.iter().any(|it| it.noticed == Noticed::OnReload);
    let mut changes = Vec::new();
    for Fixed { name, old, new, indexes, .. } in files {
        let kind = indexes.first().cloned();
        changes.extend(indexes.into_iter().map(|kind| Change::Index {
            kind,
            name: name.clone(),
            text: new.clone(),
            why: Stale::SourceChanges,
        }));
        changes.push(Change::Write { name, kind, old: Some(old), new });
    }
    Plan {
        base,
        changes,
        policies: Vec::new(),
        others: None,
        parameters: Vec::new(),
        reload,
        note: Note::default(),
    }
}
