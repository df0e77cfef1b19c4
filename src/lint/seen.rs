//! What was seen of the host that the configuration runs on: answers to the questions of rules.
//!
//! A rule asks, and where nobody has answered yet, the question is kept: whoever may look at the
//! host answers all of them with [`Seen::answer`], and the rules are run again. So this knows no
//! host, and nothing is looked at that no rule asks for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use crate::syntax::table::{self, Kind};
use crate::text::fold;

/// What a rule wants to know of a host. Names of files are as the configuration has them:
/// absolute, or below `$config_directory`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// What stands at this path; symbolic links are followed.
    File(Vec<u8>),
    /// The account of this name.
    User(Vec<u8>),
    /// The group of this name.
    Group(Vec<u8>),
    /// Whether two files hold the same bytes.
    SameBytes(Vec<u8>, Vec<u8>),
    /// Whether the indexed file of a table of this type holds the rows of its source file.
    SameRows(Vec<u8>, Vec<u8>),
    /// What a file holds. In a copy of a configuration, one of the copy.
    Bytes(Vec<u8>),
    /// The names of what stands in a directory. In a copy, in one of the copy.
    Names(Vec<u8>),
}

/// What somebody saw who looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There is no such thing.
    Missing,
    /// It is there.
    File(File),
    /// There is such an account or group.
    Account(Account),
    /// They hold the same.
    Same,
    /// They do not.
    Different,
    /// The file holds this; nothing, where it is a directory: OpenSSL finds nothing in it.
    Bytes(Arc<[u8]>),
    /// The directory holds these, sorted.
    Names(Arc<[Vec<u8>]>),
    /// It could not be seen.
    Unknown,
}

/// What is known of a file or directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    /// The number of the user that owns it.
    pub owner: u32,
    /// The number of its group.
    pub group: u32,
    /// The permission bits.
    pub mode: u32,
    /// When it was last written, in seconds.
    pub modified: i64,
    /// Whether an access list gives other permissions to some.
    pub has_access_list: bool,
    /// Whether everybody can search the directories that it stands in, behind all symbolic links.
    pub others_reach: bool,
}

/// What is known of an account; of a group, its number twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// The number of the user.
    pub user: u32,
    /// The number of the group.
    pub group: u32,
}

/// All answers up to now.
#[derive(Debug, Default)]
pub struct Seen {
    answers: BTreeMap<Question, Answer>,
    open: Mutex<BTreeSet<Question>>,
}

/// One thing of which it may not be known whether it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<T> {
    /// It is.
    There(T),
    /// It is not.
    Missing,
    /// Nobody could see it.
    Unknown,
}

impl<T> Found<T> {
    /// The thing, where it was seen.
    pub fn there(self) -> Option<T> {
        match self {
            Found::There(it) => Some(it),
            Found::Missing | Found::Unknown => None,
        }
    }

    /// Whether somebody looked, and there is none.
    pub fn is_missing(&self) -> bool {
        match self {
            Found::Missing => true,
            Found::There(_) | Found::Unknown => false,
        }
    }
}

impl Seen {
    /// What stands at this path.
    pub fn file(&self, path: &[u8]) -> Found<File> {
        match self.ask(Question::File(path.to_vec())) {
            Answer::File(file) => Found::There(file),
            Answer::Missing => Found::Missing,
            Answer::Account(_)
            | Answer::Same
            | Answer::Different
            | Answer::Bytes(_)
            | Answer::Names(_)
            | Answer::Unknown => Found::Unknown,
        }
    }

    /// What the file at this path holds; nothing, where it is a directory.
    pub fn bytes(&self, path: &[u8]) -> Found<Arc<[u8]>> {
        match self.ask(Question::Bytes(path.to_vec())) {
            Answer::Bytes(bytes) => Found::There(bytes),
            Answer::Missing => Found::Missing,
            Answer::File(_)
            | Answer::Account(_)
            | Answer::Same
            | Answer::Different
            | Answer::Names(_)
            | Answer::Unknown => Found::Unknown,
        }
    }

    /// The names in the directory at this path; none, where it is no directory.
    pub fn names(&self, path: &[u8]) -> Found<Arc<[Vec<u8>]>> {
        match self.ask(Question::Names(path.to_vec())) {
            Answer::Names(names) => Found::There(names),
            Answer::Missing => Found::Missing,
            Answer::File(_)
            | Answer::Account(_)
            | Answer::Same
            | Answer::Different
            | Answer::Bytes(_)
            | Answer::Unknown => Found::Unknown,
        }
    }

    /// The account of this name.
    pub fn user(&self, name: &[u8]) -> Found<Account> {
        self.account(Question::User(name.to_vec()))
    }

    /// The group of this name.
    pub fn group(&self, name: &[u8]) -> Found<Account> {
        self.account(Question::Group(name.to_vec()))
    }

    /// Whether both files are there and hold other bytes.
    pub fn differ(&self, one: &[u8], other: &[u8]) -> bool {
        self.ask(Question::SameBytes(one.to_vec(), other.to_vec())) == Answer::Different
    }

    /// Whether the indexed file of a table is there and holds other rows than its source file.
    pub fn rows_differ(&self, table_type: &[u8], source: &[u8]) -> bool {
        self.ask(Question::SameRows(table_type.to_vec(), source.to_vec())) == Answer::Different
    }

    /// Whether the indexed file of a table is there and holds the rows of its source file.
    pub fn rows_equal(&self, table_type: &[u8], source: &[u8]) -> bool {
        self.ask(Question::SameRows(table_type.to_vec(), source.to_vec())) == Answer::Same
    }

    /// Whether a user may read what stands at this path, as far as that is known: every
    /// directory above can be searched and the file be read.
    pub fn may_read(&self, account: Account, path: &[u8]) -> Found<()> {
        let slashes = path.iter().enumerate().skip(1).filter(|(_, byte)| **byte == b'/');
        // All are asked for at once, so that one look answers all.
        let above: Vec<Found<File>> = slashes.map(|(at, _)| self.file(&path[..at])).collect();
        let file = self.file(path);
        for directory in above {
            match directory {
                Found::There(directory) if directory.allows(account, 1) => {}
                Found::There(directory) if !directory.has_access_list => return Found::Missing,
                Found::There(_) | Found::Missing | Found::Unknown => return Found::Unknown,
            }
        }
        match file {
            // A symbolic link may lead into a directory that is closed.
            Found::There(file) if file.allows(account, 4) && account.user != 0 => {
                if file.others_reach { Found::There(()) } else { Found::Unknown }
            }
            Found::There(file) if file.allows(account, 4) => Found::There(()),
            Found::There(file) if !file.has_access_list => Found::Missing,
            Found::There(_) | Found::Missing | Found::Unknown => Found::Unknown,
        }
    }

    /// Whether somebody has asked what nobody has answered yet.
    pub fn has_open(&self) -> bool {
        self.open.lock().is_ok_and(|it| !it.is_empty())
    }

    /// What rules have asked in vain since this was called last.
    pub fn take_open(&self) -> Vec<Question> {
        let Ok(mut open) = self.open.lock() else { return Vec::new() };
        std::mem::take(&mut *open).into_iter().collect()
    }

    /// Answers a question.
    pub fn answer(&mut self, question: Question, answer: Answer) {
        self.answers.insert(question, answer);
    }

    fn account(&self, question: Question) -> Found<Account> {
        match self.ask(question) {
            Answer::Account(account) => Found::There(account),
            Answer::Missing => Found::Missing,
            Answer::File(_)
            | Answer::Same
            | Answer::Different
            | Answer::Bytes(_)
            | Answer::Names(_)
            | Answer::Unknown => Found::Unknown,
        }
    }

    fn ask(&self, question: Question) -> Answer {
        if let Some(answer) = self.answers.get(&question) {
            return answer.clone();
        }
        if let Ok(mut open) = self.open.lock() {
            open.insert(question);
        }
        Answer::Unknown
    }
}

impl File {
    /// Whether somebody else than the owner's group may write to it.
    pub fn others_write(self) -> bool {
        self.mode & 0o002 != 0
    }

    /// Whether its group may write to it.
    pub fn group_writes(self) -> bool {
        self.mode & 0o020 != 0
    }

    /// Whether a user has a permission: 4 to read, 2 to write, 1 to search.
    pub fn allows(self, account: Account, permission: u32) -> bool {
        let shift = if self.owner == account.user {
            6
        } else if self.group == account.group {
            3
        } else {
            0
        };
        account.user == 0 || (self.mode >> shift) & permission != 0
    }
}

/// Whether what `postmap -s` lists of an indexed file are the rows of a source file. `None`
/// where that is not certain, since there are rows that postmap may skip or change.
pub fn same_rows(source: &[u8], listed: &[u8]) -> Option<bool> {
    let mut wanted: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    for row in table::parse(source).rows.iter().filter(|it| it.kind == Kind::Entry) {
        let key = row.key(source);
        if key.starts_with(b"\"") || str::from_utf8(&source[row.range()]).is_err() {
            return None;
        }
        // Of two rows with one key postmap keeps the first.
        wanted.entry(fold(&key).into_owned()).or_insert_with(|| row.value(source).into_owned());
    }
    let mut found: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    for line in listed.split(|it| *it == b'\n').filter(|it| !it.is_empty()) {
        let tab = line.iter().position(|it| *it == b'\t')?;
        // With postmap -f there may be two, in upper and lower case.
        if found.insert(fold(&line[..tab]).into_owned(), line[tab + 1..].to_vec()).is_some() {
            return None;
        }
    }
    Some(found == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(mode: u32) -> Answer {
        Answer::File(File {
            owner: 0,
            group: 7,
            mode,
            modified: 0,
            has_access_list: false,
            others_reach: true,
        })
    }

    #[test]
    fn a_question_is_kept_until_it_is_answered() {
        let mut seen = Seen::default();
        assert_eq!(seen.file(b"/a"), Found::Unknown);
        let question = Question::File(b"/a".to_vec());
        assert_eq!(seen.take_open(), std::slice::from_ref(&question));
        seen.answer(question, Answer::Missing);
        assert_eq!((seen.file(b"/a"), seen.take_open()), (Found::Missing, Vec::new()));
    }

    #[test]
    fn reading_takes_every_directory_above() {
        let mut seen = Seen::default();
        let mut set = |path: &str, mode| seen.answer(Question::File(path.into()), file(mode));
        set("/etc", 0o755);
        set("/etc/s", 0o710);
        set("/etc/s/f", 0o644);
        let may = |user, group| seen.may_read(Account { user, group }, b"/etc/s/f");
        assert_eq!(may(0, 0), Found::There(()));
        assert_eq!(may(5, 7), Found::There(()));
        assert_eq!(may(5, 5), Found::Missing);
    }

    #[test]
    fn rows_are_compared_as_postmap_keeps_them() {
        let source = b"A.example may\n  x\na.example none\nb.example encrypt\nc.example\n";
        let same = |listed: &str| same_rows(source, listed.as_bytes());
        assert_eq!(same("b.example\tencrypt\na.example\tmay  x\n"), Some(true));
        assert_eq!(same("b.example\tencrypt\na.example\tnone\n"), Some(false));
        assert_eq!(same("a.example\tmay  x\n"), Some(false));
        assert_eq!(same_rows(b"\"a b\" c\n", b""), None);
    }
}
