//! Indexed files: built by postmap, and read back by it.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::with_suffix;
use crate::host::{Host, Ran};
use crate::plan::Stale;
use crate::syntax::table::{self, Kind};
use crate::text::fold;

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

/// Whether an index holds the rows of `text`, and no other.
fn holds(
    host: &dyn Host,
    directory: &Path,
    kind: &str,
    path: &Path,
    text: &[u8],
) -> Result<bool, String> {
    let ran = if kind == "cdb" {
        // Up to 3.7 postmap cannot list it, and logs a fatal error where it is told to.
        let keys = sorted(rows(text));
        let file = host.read(&with_suffix(path, kind));
        if file.ok().and_then(|it| records(&it)) != Some(keys.len()) {
            return Ok(false);
        }
        if keys.is_empty() {
            return Ok(true);
        }
        let keys: Vec<u8> = keys.iter().flat_map(|(key, _)| [key, &b"\n"[..]].concat()).collect();
        postmap(host, directory, &["-q", "-"], kind, path, &keys)?
    } else {
        postmap(host, directory, &["-s"], kind, path, b"")?
    };
    // A file that postmap cannot read holds nothing.
    if !ran.success {
        return Ok(false);
    }
    let found = ran.stdout;
    // A table that postls wrote and its lmdb index are in the same order.
    if rows(text).eq(listed(&found)) {
        return Ok(true);
    }
    let mut found: Vec<Pair<'_>> = listed(&found).collect();
    found.sort_unstable();
    Ok(sorted(rows(text)) == found)
}

/// How many records a file of type cdb holds, after its format: it begins with the places and lengths of 256
/// hash tables, each of which has two slots for a record.
fn records(cdb: &[u8]) -> Option<usize> {
    let tables = cdb.get(..256 * 8)?.chunks_exact(8);
    let slots = tables.map(|it| u32::from_le_bytes([it[4], it[5], it[6], it[7]]) as usize);
    Some(slots.sum::<usize>() / 2)
}

/// A key and what it leads to.
pub(super) type Pair<'t> = (Cow<'t, [u8]>, Cow<'t, [u8]>);

/// Sorted by key; of equal keys the first one counts, as for postmap.
pub(super) fn sorted<'t>(rows: impl Iterator<Item = Pair<'t>>) -> Vec<Pair<'t>> {
    let mut rows: Vec<Pair<'t>> = rows.collect();
    // Stable, so that the first one stays in front; of rows that are sorted it takes one pass.
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    rows.dedup_by(|later, first| later.0 == first.0);
    rows
}

/// The keys and results that postmap prints.
pub(super) fn listed(listed: &[u8]) -> impl Iterator<Item = Pair<'_>> {
    listed.split(|byte| *byte == b'\n').filter_map(|line| {
        let tab = memchr::memchr(b'\t', line)?;
        Some((line[..tab].into(), line[tab + 1..].into()))
    })
}

/// The rows of a table as postmap indexes them, with keys in lower case; the first of equal keys counts.
pub(super) fn rows(text: &[u8]) -> impl Iterator<Item = Pair<'_>> {
    let rows = table::rows(text, 0..text.len()).filter(|row| row.kind == Kind::Entry);
    rows.map(|row| {
        let key = match row.key(text) {
            Cow::Borrowed(key) => fold(key),
            Cow::Owned(key) => Cow::Owned(fold(&key).into_owned()),
        };
        (key, row.value(text))
    })
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
