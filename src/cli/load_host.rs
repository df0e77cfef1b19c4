//! Looks at the host for the rules that ask for more than the configuration's files: owners, modes,
//! ages, indexed files, programs, accounts.
//!
//! Nothing is written. What may not be seen by this user is unknown to the rules, and said.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::load::{Request, TheHost};
use super::load_certificates::{self, Files};
use crate::finding::NotChecked;
use crate::host::{Accounts, Host};
use crate::lint::seen::{self, Account, Answer, File, Question, Seen};
use crate::lint::{self, Context, Rule};
use crate::rules;

/// A table with a larger source file is not compared with its indexed file: that takes time.
const MAX_COMPARED: u64 = 16 << 20;

/// A rule asks for what it needs next when it knows what it asked for first.
const ROUNDS: usize = 16;

/// Answers what these rules ask of the host; gives back what is not checked.
pub(super) fn look(
    host: &dyn Host,
    request: &Request<'_>,
    context: &mut Context<'_>,
    rules: &[&'static Rule],
) -> Vec<NotChecked> {
    let mut not_checked = Vec::new();
    let hindrance = why_not(host, request);
    let files = match hindrance {
        None => Files::Live,
        Some(_) if request.is_live(host) => Files::ToCome,
        Some(_) => Files::Copy,
    };
    let mut rules = rules.to_vec();
    match hindrance {
        None => context.seen = Some(Seen::default()),
        Some(why) => {
            let what = "owners, modes, indexed files, programs and accounts of the host".to_owned();
            not_checked.push(NotChecked { what, why: why.to_owned() });
            // The others ask of the host only.
            rules.retain(|it| rules::of_topic("certificate").iter().any(|one| one.id == it.id));
        }
    }
    let mut unseen = BTreeSet::new();
    for _ in 0..ROUNDS {
        for rule in &rules {
            lint::run(rule, context);
        }
        let of_host = context.seen.as_ref().map(Seen::take_open).unwrap_or_default();
        let of_files = context.files.take_open();
        if of_host.is_empty() && of_files.is_empty() {
            break;
        }
        let mut answer = |question: &Question| {
            answer(host, request, files, question).unwrap_or_else(|why| {
                unseen.insert((why, subject(question)));
                Answer::Unknown
            })
        };
        for question in of_host {
            let answer = answer(&question);
            if let Some(seen) = &mut context.seen {
                seen.answer(question, answer);
            }
        }
        for question in of_files {
            let answer = answer(&question);
            context.answer(question, answer);
        }
    }
    not_checked.extend(said(unseen));
    not_checked
}

/// Why the host is not looked at where nobody asks for it.
fn why_not(host: &dyn Host, request: &Request<'_>) -> Option<&'static str> {
    if !request.is_live(host) {
        return Some("this is not the directory of a Postfix here; --host looks at them");
    }
    // Whoever validates a file before it is put there may bring its tables after it.
    let is_to_come = !request.instead.is_empty() && request.host == TheHost::ByPlace;
    is_to_come.then_some("a file that is not there yet may need others; --host looks at them")
}

/// One line for each reason, however many things it keeps from being seen.
fn said(unseen: BTreeSet<(String, String)>) -> Vec<NotChecked> {
    let mut by_reason: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (why, what) in unseen {
        by_reason.entry(why).or_default().push(what);
    }
    let line = |(why, what): (String, Vec<String>)| {
        let what = match what.as_slice() {
            [first, _, rest @ ..] => format!("{first} and {} more", rest.len() + 1),
            one => one.concat(),
        };
        NotChecked { what, why }
    };
    by_reason.into_iter().map(line).collect()
}

/// What a question is about, for a message.
fn subject(question: &Question) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match question {
        Question::File(path) => text(path),
        Question::Bytes(path) | Question::Names(path) => load_certificates::shown(path),
        Question::User(name) => format!("the user \"{}\"", text(name)),
        Question::Group(name) => format!("the group \"{}\"", text(name)),
        Question::SameBytes(one, other) => format!("{} and {}", text(one), text(other)),
        Question::SameRows(table_type, path) => {
            format!("the rows of {}:{}", text(table_type), text(path))
        }
    }
}

/// The answer, or why there is none.
fn answer(
    host: &dyn Host,
    request: &Request<'_>,
    files: Files,
    question: &Question,
) -> Result<Answer, String> {
    let place = |path: &[u8]| place(&request.directory, path);
    match question {
        Question::Bytes(path) => load_certificates::bytes(host, request, files, path),
        Question::Names(path) => load_certificates::names(host, request, files, path),
        Question::File(path) => match place(path).map(|it| file(host, &it)) {
            Some(Ok(it)) => Ok(Answer::File(it)),
            Some(Err(error)) if is_missing(&error) => Ok(Answer::Missing),
            Some(Err(error)) => Err(reason(&error)),
            None => Err("it depends on the program what the name is relative to".to_owned()),
        },
        Question::User(name) => account(host, Accounts::Users, name),
        Question::Group(name) => account(host, Accounts::Groups, name),
        Question::SameBytes(one, other) => {
            let read = |path| match place(path) {
                Some(path) => host.read(&path),
                None => Err(ErrorKind::NotFound.into()),
            };
            match (read(one), read(other)) {
                (Ok(one), Ok(other)) if one == other => Ok(Answer::Same),
                (Ok(_), Ok(_)) => Ok(Answer::Different),
                (Err(error), _) | (_, Err(error)) if is_missing(&error) => Ok(Answer::Missing),
                (Err(error), _) | (_, Err(error)) => Err(reason(&error)),
            }
        }
        Question::SameRows(table_type, path) => match place(path) {
            Some(path) => same_rows(host, &request.directory, table_type, &path),
            None => Ok(Answer::Unknown),
        },
    }
}

fn file(host: &dyn Host, path: &Path) -> io::Result<File> {
    let it = host.attributes(path)?;
    let is_open = |it: &Path| host.attributes(it).is_ok_and(|it| it.mode & 0o001 != 0);
    let real = host.resolve(path);
    Ok(File {
        owner: it.owner,
        group: it.group,
        mode: it.mode,
        modified: it.modified,
        has_access_list: it.has_access_list,
        others_reach: real.is_ok_and(|it| it.ancestors().skip(1).all(is_open)),
    })
}

/// The path that a name in the configuration means; `None`: it is relative.
pub(super) fn place(directory: &Path, path: &[u8]) -> Option<PathBuf> {
    let name = b"$config_directory";
    if let Some(inside) = path.strip_prefix(name)
        && matches!(inside.first(), None | Some(b'/'))
    {
        return Some(
            directory.join(OsStr::from_bytes(inside.strip_prefix(b"/").unwrap_or(inside))),
        );
    }
    let path = Path::new(OsStr::from_bytes(path));
    // A NUL byte ends a name for Postfix, and is none of the file system's.
    (path.is_absolute() && !path.as_os_str().as_bytes().contains(&0)).then(|| path.to_owned())
}

pub(super) fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::PermissionDenied => "this user may not see it".to_owned(),
        _ => error.to_string(),
    }
}

/// An entry of passwd(5) or group(5): the number of the user or group, and of a user's group.
fn account(host: &dyn Host, accounts: Accounts, name: &[u8]) -> Result<Answer, String> {
    // getent(1) takes a number for the number of an account; Postfix takes it for a name.
    if name.is_empty() || name.iter().all(u8::is_ascii_digit) || name.contains(&0) {
        return Ok(Answer::Unknown);
    }
    let entry = host.account(accounts, OsStr::from_bytes(name));
    let Some(entry) = entry.map_err(|error| format!("getent: {error}"))? else {
        return Ok(Answer::Missing);
    };
    let entry = String::from_utf8_lossy(&entry);
    let fields: Vec<&str> = entry.lines().next().unwrap_or_default().split(':').collect();
    let number = |at: usize| fields.get(at).and_then(|it| it.parse::<u32>().ok());
    let group = match accounts {
        Accounts::Users => number(3),
        Accounts::Groups => number(2),
    };
    match (number(2), group) {
        (Some(user), Some(group)) => Ok(Answer::Account(Account { user, group })),
        (None, _) | (_, None) => Ok(Answer::Unknown),
    }
}

/// Compares the rows of a source file with what postmap lists of its indexed file.
fn same_rows(
    host: &dyn Host,
    directory: &Path,
    table_type: &[u8],
    path: &Path,
) -> Result<Answer, String> {
    let size = host.attributes(path).map(|it| it.size);
    if size.is_ok_and(|it| it > MAX_COMPARED) {
        return Err("the table is too large to be listed in a short time".to_owned());
    }
    let source = match host.read(path) {
        Ok(source) => source,
        Err(error) if is_missing(&error) => return Ok(Answer::Missing),
        Err(error) => return Err(reason(&error)),
    };
    let name = [table_type, b":", path.as_os_str().as_bytes()].concat();
    let arguments =
        [OsStr::new("-c"), directory.as_os_str(), OsStr::new("-s"), OsStr::from_bytes(&name)];
    // Without postmap, or with one that cannot list this type or read this file, it is not known.
    let Some(listed) = host.run("postmap", &arguments, b"").ok().filter(|it| it.success) else {
        return Err("postmap -s does not list it".to_owned());
    };
    Ok(match seen::same_rows(&source, &listed.stdout) {
        Some(true) => Answer::Same,
        Some(false) => Answer::Different,
        None => Answer::Unknown,
    })
}
