//! What stands below a directory, and how two of those differ.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// One file, link or directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) what: What,
    pub(super) mode: u32,
    pub(super) owner: (u32, u32),
}

#[derive(Clone, PartialEq, Eq)]
pub(super) enum What {
    File(Vec<u8>),
    Link(PathBuf),
    Directory,
    Other,
}

impl std::fmt::Debug for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            What::File(bytes) => {
                let shown = &bytes[..bytes.len().min(300)];
                write!(f, "{} bytes \"{}\"", bytes.len(), shown.escape_ascii())
            }
            What::Link(target) => write!(f, "-> {}", target.display()),
            What::Directory => f.write_str("directory"),
            What::Other => f.write_str("other"),
        }
    }
}

/// Everything below a directory but what postls keeps for itself, by the path from there.
pub(super) type Tree = BTreeMap<PathBuf, Entry>;

/// No temporary file, no lock file of Postfix's, no journal.
pub(super) fn nothing_is_left(etc: &Path) -> Result<(), String> {
    for path in walk(etc) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let known = |folder: &str| path.parent().is_some_and(|it| it.ends_with(folder));
        let ours = path.starts_with(etc.join(".postls"));
        let fine = match name.as_str() {
            "lock" | ".gitignore" | "settled.json" | "generations" | "objects" if ours => {
                known(".postls")
            }
            _ if known(".postls/generations") => {
                name.strip_suffix(".json").is_some_and(|it| it.parse::<u32>().is_ok())
            }
            _ if known(".postls/objects") => {
                name.len() == 64 && name.bytes().all(|it| it.is_ascii_hexdigit())
            }
            _ if ours && path != etc.join(".postls") => false,
            _ => !name.contains(".postls-") && !name.ends_with(".cf.tmp"),
        };
        if !fine {
            return Err(format!("{} is left over", path.display()));
        }
    }
    Ok(())
}

fn walk(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut ahead = vec![directory.to_owned()];
    while let Some(next) = ahead.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|it| it.is_dir()) {
                ahead.push(entry.path());
            }
            found.push(entry.path());
        }
    }
    found.sort();
    found
}

/// Everything below a directory, but `.postls` and the scratch files of a case.
pub(super) fn tree(directory: &Path) -> Tree {
    let skipped = |path: &Path| {
        path.components().any(|it| {
            let name = it.as_os_str().to_string_lossy();
            name == ".postls" || name.starts_with("scratch.")
        })
    };
    let mut tree = Tree::new();
    for path in walk(directory) {
        let name = path.strip_prefix(directory).expect("it is below").to_owned();
        // It may be gone: somebody else may be at work.
        let Ok(facts) = fs::symlink_metadata(&path) else { continue };
        if skipped(&name) {
            continue;
        }
        let what = if facts.is_symlink() {
            What::Link(fs::read_link(&path).expect("it is a link"))
        } else if facts.is_dir() {
            What::Directory
        } else if facts.is_file() {
            What::File(fs::read(&path).expect("it can be read"))
        } else {
            What::Other
        };
        let entry = Entry { what, mode: facts.mode(), owner: (facts.uid(), facts.gid()) };
        tree.insert(name, entry);
    }
    tree
}

pub(super) fn without_temporary_files(mut tree: Tree) -> Tree {
    let is_temporary = |it: &PathBuf| {
        let name = it.to_string_lossy();
        name.contains(".postls-") || name.ends_with(".cf.tmp")
    };
    tree.retain(|name, _| !is_temporary(name));
    tree
}

/// Says where two trees differ; the bytes of one file may.
pub(super) fn differences(wanted: &Tree, now: &Tree, index: Option<&str>) -> Result<(), String> {
    let names: BTreeSet<&PathBuf> = wanted.keys().chain(now.keys()).collect();
    for name in names {
        let same = match (wanted.get(name), now.get(name)) {
            (Some(wanted), Some(now)) if index.is_some_and(|it| Path::new(it) == name) => {
                (wanted.mode, wanted.owner) == (now.mode, now.owner)
            }
            (wanted, now) => wanted == now,
        };
        if !same {
            let (wanted, now) = (wanted.get(name), now.get(name));
            return Err(format!("{}: wanted {wanted:?}, is {now:?}", name.display()));
        }
    }
    Ok(())
}
