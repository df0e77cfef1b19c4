//! Indexed files: built by postmap, and read back by it.

use std::collections::HashSet;
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
    let mut want = rows(text);
    let ran = postmap(host, directory, &["-s"], kind, path, b"")?;
    let found = if ran.success {
        ran.stdout
    } else if ran.stderr.contains("sequence operation is not supported") {
        // cdb up to 3.7 cannot list: ask for each key instead.
        let keys: Vec<u8> =
            want.iter().flat_map(|(key, _)| [key.as_slice(), b"\n"].concat()).collect();
        postmap(host, directory, &["-q", "-"], kind, path, &keys)?.stdout
    } else {
        // A file that postmap cannot read holds nothing.
        return Ok(false);
    };
    let mut found = listed(&found);
    want.sort_unstable();
    found.sort_unstable();
    Ok(want == found)
}

/// The keys and results that postmap prints.
pub(super) fn listed(output: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let lines = output.split(|byte| *byte == b'\n');
    lines
        .filter_map(|line| {
            let tab = memchr::memchr(b'\t', line)?;
            Some((line[..tab].to_vec(), line[tab + 1..].to_vec()))
        })
        .collect()
}

/// The rows as postmap indexes them: keys in lower case, and of equal keys the first one.
pub(super) fn rows(text: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let table = table::parse(text);
    let rows = table.rows.iter().filter(|row| row.kind == Kind::Entry);
    let mut seen = HashSet::new();
    rows.map(|row| {
        let row = row.text(text);
        (fold(row.key()).into_owned(), row.value().to_vec())
    })
    .filter(|(key, _)| seen.insert(key.clone()))
    .collect()
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
