//! Reads the certificates, keys and authorities that rules ask for.
//!
//! In a copy of a configuration only files of the copy are read: `/etc/postfix/x` is the copy's x, and
//! what this host has elsewhere is another host's business. A file that is not in the copy may be where
//! the configuration is used, so it is not checked.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use super::load::{DEFAULT_DIRECTORY, Request, name_in};
use super::load_host::{is_missing, place, reason};
use crate::host::Host;
use crate::lint::seen::Answer;

/// No file with certificates is larger: a bundle of all authorities has some hundred KiB.
const MAX_SIZE: u64 = 64 << 20;

/// Whose files they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Files {
    /// Those that the Postfix of this host reads: one that is missing is missing.
    Live,
    /// Those of this host, and some may be still to come.
    ToCome,
    /// Those of a copy.
    Copy,
}

/// What a file holds, or why that is not known.
pub(super) fn bytes(
    host: &dyn Host,
    request: &Request<'_>,
    files: Files,
    path: &[u8],
) -> Result<Answer, String> {
    let path = found(request, files, path)?;
    if let Some(bytes) = request.instead.get(&name_in(&request.directory, &path)) {
        return Ok(Answer::Bytes(bytes.as_slice().into()));
    }
    if host.attributes(&path).is_ok_and(|it| it.size > MAX_SIZE) {
        return Err("it is too large for certificates".to_owned());
    }
    match host.read(&path) {
        Ok(bytes) => match stand_in(&bytes).filter(|_| files == Files::Copy) {
            Some(what) => Err(format!("in this copy it is {what}")),
            None => Ok(Answer::Bytes(bytes.into())),
        },
        // OpenSSL opens it, and reads nothing.
        Err(error) if error.kind() == ErrorKind::IsADirectory => Ok(Answer::Bytes([].into())),
        Err(error) if is_missing(&error) => missing(files),
        Err(error) => Err(reason(&error)),
    }
}

/// The names in a directory, or why they are not known.
pub(super) fn names(
    host: &dyn Host,
    request: &Request<'_>,
    files: Files,
    path: &[u8],
) -> Result<Answer, String> {
    let path = found(request, files, path)?;
    if !host.exists(&path) {
        return missing(files);
    }
    let Some(name) = path.to_str() else { return Err("its name is not in UTF-8".to_owned()) };
    let pattern = format!("{}/*", glob::Pattern::escape(name));
    let paths = host.matching(&pattern).map_err(|error| reason(&error))?;
    let names = paths.iter().filter_map(|it| it.file_name());
    Ok(Answer::Names(names.map(|it| it.as_bytes().to_vec()).collect()))
}

/// What a repository has in place of a secret or of a large file; Postfix gets another file.
fn stand_in(bytes: &[u8]) -> Option<&'static str> {
    let beginnings: [(&[u8], &str); 6] = [
        (b"$ANSIBLE_VAULT;", "encrypted by Ansible Vault"),
        (b"\0GITCRYPT\0", "encrypted by git-crypt"),
        (b"age-encryption.org/", "encrypted by age"),
        (b"-----BEGIN AGE ENCRYPTED FILE-----", "encrypted by age"),
        (b"-----BEGIN PGP MESSAGE-----", "encrypted by OpenPGP"),
        (b"version https://git-lfs.github.com/", "a pointer of Git LFS"),
    ];
    beginnings.iter().find(|it| bytes.starts_with(it.0)).map(|it| it.1)
}

fn missing(files: Files) -> Result<Answer, String> {
    match files {
        Files::Live => Ok(Answer::Missing),
        Files::ToCome => Err("there is no such file yet".to_owned()),
        Files::Copy => Err("there is no such file in this copy".to_owned()),
    }
}

/// The path that a name in the configuration means here.
fn found(request: &Request<'_>, files: Files, path: &[u8]) -> Result<PathBuf, String> {
    let directory = &request.directory;
    let relative = || "it depends on the program what the name is relative to".to_owned();
    let path = place(directory, path).ok_or_else(relative)?;
    if files != Files::Copy {
        return Ok(path);
    }
    let inside = path.strip_prefix(directory).or_else(|_| path.strip_prefix(DEFAULT_DIRECTORY));
    let stays = |it: &&Path| it.components().all(|part| matches!(part, Component::Normal(_)));
    match inside.ok().filter(stays) {
        Some(inside) => Ok(directory.join(inside)),
        None => Err("it is not in this directory, which is a copy".to_owned()),
    }
}

/// A path for a message.
pub(super) fn shown(path: &[u8]) -> String {
    Path::new(OsStr::from_bytes(path)).display().to_string()
}
