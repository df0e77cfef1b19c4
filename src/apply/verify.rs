//! Whether Postfix's own programs see what was written. What cannot be asked is said.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::Path;

use super::index;
use super::running::Running;
use crate::host::{Host, Ran};
use crate::plan::Change;
use crate::syntax::indexed::{Beside, Indexed};
use crate::syntax::main_cf;

/// Of the keys that stay as they are, so many are looked up.
const SAMPLE: usize = 100;

/// What Postfix's programs said before anything changed.
pub(super) struct Before {
    /// Whether postconf read main.cf.
    postconf: bool,
    /// Whether `postfix check` found it good; `None`: it was not asked.
    check: Option<bool>,
}

impl Before {
    /// Nobody has looked.
    pub(super) fn unknown() -> Before {
        Before { postconf: false, check: None }
    }
}

/// Asks them before anything changes.
pub(super) fn before(host: &dyn Host, directory: &Path, running: &Running) -> Before {
    Before {
        postconf: postconf(host, directory).is_ok_and(|ran| ran.is_some_and(|it| it.success)),
        check: is_in_use(host, directory, running)
            .then(|| check(host, directory))
            .flatten()
            .map(|it| it.is_ok()),
    }
}

/// Asks them afterwards; what is worth a note.
pub(super) fn verify(
    host: &dyn Host,
    directory: &Path,
    changes: &[&Change],
    before: &Before,
) -> Result<Vec<String>, String> {
    let mut notes = Vec::new();
    for change in changes {
        match change {
            Change::Write { name, new, .. } if name == "main.cf" => {
                settings(host, directory, new, before)?;
            }
            Change::Write { name, kind: Some(kind), old, new } => {
                let old = old.as_deref().unwrap_or_default();
                keys(host, directory, kind, name, old, new)?;
            }
            Change::Write { .. } | Change::Index { .. } | Change::Remove { .. } => {}
        }
    }
    match before.check {
        Some(true) => match check(host, directory) {
            Some(said) => said?,
            None => notes.push("`postfix check` could not be asked again".to_owned()),
        },
        Some(false) => notes.push(
            "`postfix check` was not content before either; it says nothing of this change"
                .to_owned(),
        ),
        None => {}
    }
    Ok(notes)
}

/// What postconf prints is what main.cf says. What it does not print is a parameter that no Postfix
/// of this version uses.
fn settings(
    host: &dyn Host,
    directory: &Path,
    main_cf: &[u8],
    before: &Before,
) -> Result<(), String> {
    let ran = match postconf(host, directory)? {
        None => return Ok(()),
        Some(ran) if !ran.success && !before.postconf => return Ok(()),
        Some(ran) if !ran.success => {
            return Err(format!("postconf does not read main.cf: {}", ran.stderr));
        }
        Some(ran) => ran,
    };
    let wanted = values(main_cf);
    for line in ran.stdout.split(|it| *it == b'\n') {
        let Some((name, value)) = split(line) else { continue };
        if let Some(wanted) = wanted.get(name.as_slice())
            && *wanted != value
        {
            return Err(format!(
                "postconf reads {} as \"{}\"",
                String::from_utf8_lossy(&name),
                String::from_utf8_lossy(&value.join(&b' '))
            ));
        }
    }
    Ok(())
}

type Words = Vec<Vec<u8>>;

/// The value of each parameter, as words: the last one counts.
fn values(bytes: &[u8]) -> BTreeMap<Vec<u8>, Words> {
    let main_cf = main_cf::parse(bytes);
    let entries = main_cf.entries();
    entries
        .map(|it| (bytes[it.name.clone()].to_vec(), words(it.value_text(bytes).text())))
        .collect()
}

fn split(line: &[u8]) -> Option<(Vec<u8>, Words)> {
    let equals = memchr::memchr(b'=', line)?;
    Some((line[..equals].trim_ascii().to_vec(), words(&line[equals + 1..])))
}

fn words(value: &[u8]) -> Words {
    let words = value.split(u8::is_ascii_whitespace).filter(|it| !it.is_empty());
    words.map(<[u8]>::to_vec).collect()
}

/// postmap finds each changed key, and some of the others, in the table as main.cf names it; and none
/// of those that are gone.
fn keys(
    host: &dyn Host,
    directory: &Path,
    kind: &str,
    name: &str,
    old: &[u8],
    new: &[u8],
) -> Result<(), String> {
    let table = directory.join(name);
    let found = |utf8| {
        let (old, new) = (Indexed::of(old, utf8), Indexed::of(new, utf8));
        keys_folded(host, directory, (kind, &table), &old, &new)
    };
    // Which letters postmap folds depends on smtputf8_enable.
    let is_ascii = old.is_ascii() && new.is_ascii();
    found(true).or_else(|why| if is_ascii { Err(why) } else { found(false).map_err(|_| why) })
}

/// The same for rows whose keys are folded in one way. `table`: its type and place.
fn keys_folded(
    host: &dyn Host,
    directory: &Path,
    (kind, table): (&str, &Path),
    old: &Indexed<'_>,
    new: &Indexed<'_>,
) -> Result<(), String> {
    let (same, changed): (Vec<Beside<'_>>, _) = old.beside(new).partition(|it| it.old == it.new);
    let every = same.len().div_ceil(SAMPLE).max(1);
    let asked: Vec<&Beside<'_>> = changed.iter().chain(same.iter().step_by(every)).collect();
    let input: Vec<u8> = asked.iter().flat_map(|it| [it.key, b"\n"].concat()).collect();
    let ran = match index::ask(host, directory, &["-q", "-"], kind, table, &input) {
        Ok(ran) => ran,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Unsupported) => {
            return Ok(());
        }
        Err(error) => return Err(format!("postmap: {error}")),
    };
    let found = Indexed::listed(&ran.stdout);
    for Beside { key, new: wanted, .. } in asked {
        let is = found.get(key);
        if is != *wanted {
            let shown = String::from_utf8_lossy(key);
            let now = is.map_or("nothing".into(), String::from_utf8_lossy);
            return Err(format!(
                "postmap -q \"{shown}\" {kind}:{}: finds {now} {}",
                table.display(),
                ran.stderr
            ));
        }
    }
    Ok(())
}

/// `None`: there is no Postfix.
fn postconf(host: &dyn Host, directory: &Path) -> Result<Option<Ran>, String> {
    let arguments = [OsStr::new("-c"), directory.as_os_str(), OsStr::new("-n")];
    match host.run("postconf", &arguments, b"") {
        Ok(ran) => Ok(Some(ran)),
        // There is none, or it is an image's, of which nothing runs.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Unsupported) => {
            Ok(None)
        }
        Err(error) => Err(format!("postconf: {error}")),
    }
}

/// Whether a Postfix of this host is meant by the directory. For a copy `postfix check` would look at
/// the queue of the original, and make directories for it.
fn is_in_use(host: &dyn Host, directory: &Path, running: &Running) -> bool {
    match running {
        Running::Yes(_) => true,
        Running::No | Running::Unknown(_) => {
            !host.is_copy() && directory == Path::new("/etc/postfix")
        }
    }
}

/// What `postfix check` finds wrong; `None`: it cannot be asked.
fn check(host: &dyn Host, directory: &Path) -> Option<Result<(), String>> {
    let arguments = [OsStr::new("-c"), directory.as_os_str(), OsStr::new("check")];
    match host.run("postfix", &arguments, b"") {
        Ok(ran) if ran.success => Some(Ok(())),
        Ok(ran) => Some(Err(format!("postfix check: {}", ran.stderr))),
        Err(_) => None,
    }
}
