//! postmap for a system below a directory: the machine's program, with that system's files and nothing
//! else of it.
//!
//! It gets a configuration directory with an empty main.cf. With the system's own, that file would
//! decide what runs here: `meta_directory` and `shlib_directory` name libraries that postmap loads,
//! `import_environment` sets variables, `mail_owner` must be a user of this machine. An index depends on
//! none of these, and postmap lets one of lmdb grow by itself.
//!
//! Known limit: the index is in the form of this machine's libraries.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::Rooted;
use crate::host::{Host, Ran};

/// What postmap appends to the name of a table of this type, or why it is not asked.
fn suffixes(table_type: &[u8]) -> io::Result<&'static [&'static str]> {
    match table_type {
        b"hash" | b"btree" => Ok(&[".db"]),
        b"lmdb" => Ok(&[".lmdb"]),
        b"cdb" => Ok(&[".cdb"]),
        b"dbm" | b"sdbm" => Ok(&[".pag", ".dir"]),
        b"texthash" => Ok(&[]),
        // Others ask servers, or files that the table names.
        _ => Err(io::Error::new(io::ErrorKind::Unsupported, "no table of this type below --root")),
    }
}

/// Runs it with arguments that name files of that system: `-c DIRECTORY … TYPE:TABLE`.
pub(super) fn run(host: &Rooted, arguments: &[&OsStr], input: &[u8]) -> io::Result<Ran> {
    let unknown = || io::Error::new(io::ErrorKind::Unsupported, "no such postmap below --root");
    let [option, _, options @ .., table] = arguments else { return Err(unknown()) };
    let table = table.as_bytes();
    let colon = table.iter().position(|it| *it == b':');
    let Some(colon) = colon.filter(|_| *option == "-c") else { return Err(unknown()) };
    let suffixes = suffixes(&table[..colon])?;
    let place = place(host, suffixes, Path::new(OsStr::from_bytes(&table[colon + 1..])))?;
    let mut table = OsStr::from_bytes(&table[..=colon]).to_owned();
    table.push(place);
    let directory = empty_configuration()?;
    let mut real: Vec<&OsStr> = vec![option, directory.path().as_os_str()];
    real.extend(options);
    real.push(&table);
    host.machine.run("postmap", &real, input)
}

/// The name by which postmap finds a table's files on the machine.
///
/// It follows the links that it meets, and the name of an index may be one: then the table has the name
/// that belongs to where that leads.
fn place(host: &Rooted, suffixes: &[&str], table: &Path) -> io::Result<PathBuf> {
    let mut places = Vec::new();
    for suffix in suffixes {
        let mut index = table.as_os_str().to_owned();
        index.push(suffix);
        let index = Path::new(&index);
        if !host.exists(index) {
            continue;
        }
        let real = host.located(index)?;
        let Some(place) = real.as_os_str().as_bytes().strip_suffix(suffix.as_bytes()) else {
            let what = format!("{} leads to a file with another suffix", index.display());
            return Err(io::Error::other(what));
        };
        places.push(PathBuf::from(OsStr::from_bytes(place)));
    }
    places.dedup();
    match places.as_slice() {
        // What postmap writes it writes beside the table, and there is no link in its way.
        [] => host.located(table),
        [place] => Ok(place.clone()),
        _ => Err(io::Error::other(format!("the indexes of {} are apart", table.display()))),
    }
}

/// A configuration directory that sets nothing.
fn empty_configuration() -> io::Result<TempDir> {
    let directory = tempfile::Builder::new().prefix("postls-").tempdir()?;
    // Postfix's programs wait while a main.cf is younger than two seconds.
    let old = SystemTime::now() - Duration::from_secs(60);
    File::create_new(directory.path().join("main.cf"))?.set_modified(old)?;
    Ok(directory)
}
