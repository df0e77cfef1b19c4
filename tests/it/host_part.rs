//! The `==> host <==` part of an example: what is not as it is on a host where all is well.
//!
//! Each line says one thing. `/etc/postfix`, `/var/spool/postfix` and `/var/lib/postfix` are the usual
//! directories, `$daemon_directory` that of Postfix's daemons.
//!
//! ```text
//! /etc/postfix/tls_policy.lmdb is missing
//! /etc/postfix/tls_policy.lmdb is 90 minutes old
//! /etc/postfix/tls_policy has mode 666
//! /etc/postfix/tls_policy belongs to nobody
//! /etc/postfix/tls_policy.lmdb holds other rows
//! /var/spool/postfix/etc/hosts differs from /etc/hosts
//! user vmail is missing
//! group vmail is missing
//! ```
//!
//! Where all is well, everything exists, is an hour old, has mode 755 and belongs to root; the data
//! directory belongs to postfix.

use postls::lint::Context;
use postls::lint::seen::{Account, Answer, File, Question, Seen};
use postls::text::Sources;

/// What one line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said<'t> {
    Missing(&'t str),
    Minutes(&'t str, i64),
    Mode(&'t str, u32),
    BelongsTo(&'t str, &'t str),
    OtherRows(&'t str),
    Differs(&'t str, &'t str),
    NoUser(&'t str),
    NoGroup(&'t str),
}

/// The lines of the part.
pub(crate) fn parse(text: &str) -> Vec<Said<'_>> {
    let lines = text.lines().filter(|it| !it.is_empty() && !it.starts_with('#'));
    let said = |line| match *str::split_whitespace(line).collect::<Vec<&str>>().as_slice() {
        ["user", name, "is", "missing"] => Said::NoUser(name),
        ["group", name, "is", "missing"] => Said::NoGroup(name),
        [path, "is", "missing"] => Said::Missing(path),
        [path, "is", minutes, "minutes", "old"] => Said::Minutes(path, number(minutes, 10)),
        [path, "has", "mode", mode] => Said::Mode(path, number(mode, 8).try_into().unwrap()),
        [path, "belongs", "to", name] => Said::BelongsTo(path, name),
        [path, "holds", "other", "rows"] => Said::OtherRows(path),
        [path, "differs", "from", other] => Said::Differs(path, other),
        _ => panic!("the host part of an example does not say \"{line}\""),
    };
    lines.map(said).collect()
}

fn number(text: &str, radix: u32) -> i64 {
    i64::from_str_radix(text, radix).expect("a number")
}

/// The number of an account on the host of the examples.
pub(crate) fn user_id(name: &str) -> u32 {
    match name {
        "root" => 0,
        "postfix" => 101,
        "nobody" => 65534,
        _ => 1000,
    }
}

/// Answers all that rules ask of the host, where the example has this part, and of files that are no
/// tables: those of the example are there.
pub(crate) fn answer(context: &mut Context<'_>, text: Option<&str>) {
    let said = parse(text.unwrap_or_default());
    let daemon_directory = context.effective().map(|it| {
        let value = it.value("daemon_directory", postls::config::Within::Main).0;
        String::from_utf8(value.expect("it can be expanded")).expect("it is text")
    });
    let daemon_directory = daemon_directory.unwrap_or_default();
    context.seen = text.map(|_| Seen::default());
    let topics = if text.is_some() { ["host", "certificate"].as_slice() } else { &["certificate"] };
    loop {
        for rule in topics.iter().flat_map(|it| postls::rules::of_topic(it)) {
            postls::lint::run(rule, context);
        }
        let of_host = context.seen.as_ref().map(Seen::take_open).unwrap_or_default();
        let of_files = context.files.take_open();
        if of_host.is_empty() && of_files.is_empty() {
            break;
        }
        for question in of_host {
            let answer = answer_to(&question, &said, &daemon_directory);
            context.seen.as_mut().expect("it was asked").answer(question, answer);
        }
        for question in of_files {
            let answer = contents(&question, context.sources, &said);
            context.answer(question, answer);
        }
    }
}

/// What a file of the example holds. What is not there, and of which the host part says nothing, is
/// not known, as in a copy.
fn contents(question: &Question, sources: &Sources, said: &[Said<'_>]) -> Answer {
    let (Question::Bytes(path) | Question::Names(path)) = question else { return Answer::Unknown };
    let path = String::from_utf8_lossy(path).replace("$config_directory", "/etc/postfix");
    let name = path.strip_prefix("/etc/postfix/").unwrap_or(&path);
    let inside =
        |it: &str| it.strip_prefix(name)?.strip_prefix('/').map(|it| it.as_bytes().to_vec());
    let names: Vec<_> = sources.iter().filter_map(|(_, it)| inside(it.name())).collect();
    let file = sources.iter().find(|(_, it)| it.name() == name);
    match (question, file) {
        (Question::Bytes(_), Some((_, it))) => Answer::Bytes(it.bytes().into()),
        (Question::Names(_), _) if !names.is_empty() => Answer::Names(names.into()),
        _ if said.contains(&Said::Missing(&path)) => Answer::Missing,
        _ => Answer::Unknown,
    }
}

fn answer_to(question: &Question, said: &[Said<'_>], daemon_directory: &str) -> Answer {
    let text = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).replace("$config_directory", "/etc/postfix");
        match text.strip_prefix(daemon_directory) {
            Some(inside) => format!("$daemon_directory{inside}"),
            None => text,
        }
    };
    let says = |it: Said<'_>| said.contains(&it);
    let account = |user| Answer::Account(Account { user, group: user });
    match question {
        Question::File(path) => file(&text(path), said),
        Question::User(name) if says(Said::NoUser(&text(name))) => Answer::Missing,
        Question::Group(name) if says(Said::NoGroup(&text(name))) => Answer::Missing,
        Question::User(name) | Question::Group(name) => account(user_id(&text(name))),
        Question::SameBytes(one, other) if says(Said::Differs(&text(one), &text(other))) => {
            Answer::Different
        }
        Question::SameRows(table_type, path) => {
            let (table_type, path) = (text(table_type), text(path));
            let other = [table_type.as_str(), "db"].map(|it| format!("{path}.{it}"));
            let differs = other.iter().any(|it| says(Said::OtherRows(it)));
            if differs { Answer::Different } else { Answer::Same }
        }
        Question::SameBytes(..) => Answer::Same,
        Question::Bytes(_) | Question::Names(_) => Answer::Unknown,
    }
}

fn file(path: &str, said: &[Said<'_>]) -> Answer {
    let owner = if path == "/var/lib/postfix" { user_id("postfix") } else { 0 };
    let now = 1_000_000;
    let mut file = File {
        owner,
        group: 0,
        mode: 0o755,
        modified: now - 3600,
        has_access_list: false,
        others_reach: true,
    };
    for said in said {
        match *said {
            Said::Missing(it) if it == path => return Answer::Missing,
            Said::Minutes(it, minutes) if it == path => file.modified = now - 60 * minutes,
            Said::Mode(it, mode) if it == path => file.mode = mode,
            Said::BelongsTo(it, name) if it == path => file.owner = user_id(name),
            _ => {}
        }
    }
    Answer::File(file)
}
