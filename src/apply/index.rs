//! Indexed files: built by postmap, and read back by it.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::with_suffix;
use crate::host::{Host, Ran};
use crate::plan::Stale;
use crate::syntax::indexed::Indexed;

/// The files that postmap makes of the source `path`, with their suffixes.
pub(super) fn files(kind: &str, path: &Path) -> Vec<(&'static str, PathBuf)> {
    let suffixes: &[&'static str] = match kind {
        "hash" | "btree" => &["db"],
        "lmdb" => &["lmdb"],
        "cdb" => &["cdb"],
        "dbm" | "sdbm" => &["pag", "dir"],
        _ => &[],
    };
    suffixes.iter().map(|suffix| (*suffix, with_suffix(path, suffix))).collect()
}

/// Whether `table` has an index of this type.
pub fn exists(host: &dyn Host, kind: &str, table: &Path) -> bool {
    files(kind, table).iter().any(|(_, file)| host.exists(file))
}

/// What is wrong with the live index of `table`, if it should hold `text`.
pub fn state(
    host: &dyn Host,
    directory: &Path,
    kind: &str,
    table: &Path,
    text: &[u8],
) -> Result<Option<Stale>, String> {
    if files(kind, table).iter().any(|(_, file)| !host.exists(file)) {
        return Ok(Some(Stale::Missing));
    }
    let same = holds(host, directory, kind, table, text)?;
    Ok((!same).then_some(Stale::Differs))
}

/// Builds the index of `source` and makes sure that it holds what `text` says.
pub(super) fn build(
    host: &dyn Host,
    directory: &Path,
    kind: &str,
    source: &Path,
    text: &[u8],
) -> Result<(), String> {
    let ran = postmap(host, directory, &[], kind, source, b"")?;
    if !ran.success {
        // It works as the owner of the table, who may be another one than that of the directory.
        let whose = if ran.stderr.contains("Permission denied") {
            "; postmap works as the user who owns the table, and that one may not write here"
        } else {
            ""
        };
        return Err(format!("postmap {kind}: {}{whose}", ran.stderr));
    }
    if !holds(host, directory, kind, source, text)? {
        // postmap of an lmdb table says nothing and exits with 0 where the last write found no room.
        let said = if ran.stderr.is_empty() { String::new() } else { format!("; {}", ran.stderr) };
        return Err(format!(
            "{}: the {kind} index that postmap made does not hold its rows, as on a full disk{said}",
            source.display()
        ));
    }
    Ok(())
}

/// Whether an index holds the rows of `text`, and no other. Which letters of keys postmap folds depends on
/// `smtputf8_enable`, and either is right.
fn holds(
    host: &dyn Host,
    directory: &Path,
    kind: &str,
    path: &Path,
    text: &[u8],
) -> Result<bool, String> {
    let holds = |utf8| holds_folded(host, directory, kind, path, &Indexed::of(text, utf8));
    Ok(holds(true)? || (!text.is_ascii() && holds(false)?))
}

/// Whether it holds these rows, and no other.
fn holds_folded(
    host: &dyn Host,
    directory: &Path,
    kind: &str,
    path: &Path,
    wanted: &Indexed<'_>,
) -> Result<bool, String> {
    let ran = if kind == "cdb" {
        // Up to 3.7 postmap cannot list it, and logs a fatal error where it is told to.
        let file = host.read(&with_suffix(path, kind));
        if file.ok().and_then(|it| records(&it)) != Some(wanted.keys().len()) {
            return Ok(false);
        }
        if wanted.keys().len() == 0 {
            return Ok(true);
        }
        let keys: Vec<u8> = wanted.keys().flat_map(|key| [key, b"\n"].concat()).collect();
        postmap(host, directory, &["-q", "-"], kind, path, &keys)?
    } else {
        postmap(host, directory, &["-s"], kind, path, b"")?
    };
    // A file that postmap cannot read holds nothing.
    Ok(ran.success && Indexed::listed(&ran.stdout) == *wanted)
}

/// How many records a file of type cdb holds, after its format: it begins with the places and lengths of 256
/// hash tables, each of which has two slots for a record.
fn records(cdb: &[u8]) -> Option<usize> {
    let tables = cdb.get(..256 * 8)?.chunks_exact(8);
    let slots = tables.map(|it| u32::from_le_bytes([it[4], it[5], it[6], it[7]]) as usize);
    Some(slots.sum::<usize>() / 2)
}

fn postmap(
    host: &dyn Host,
    directory: &Path,
    options: &[&str],
    kind: &str,
    path: &Path,
    input: &[u8],
) -> Result<Ran, String> {
    ask(host, directory, options, kind, path, input).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            format!(
                "a {kind} table needs postmap, and there is none; table type texthash needs none"
            )
        }
        _ => format!("postmap: {error}"),
    })
}

/// Runs postmap on a table.
pub(super) fn ask(
    host: &dyn Host,
    directory: &Path,
    options: &[&str],
    kind: &str,
    path: &Path,
    input: &[u8],
) -> std::io::Result<Ran> {
    let mut table = OsString::from(format!("{kind}:"));
    table.push(path);
    let mut arguments: Vec<&OsStr> = vec![OsStr::new("-c"), directory.as_os_str()];
    arguments.extend(options.iter().map(OsStr::new));
    arguments.push(&table);
    host.run("postmap", &arguments, input)
}
