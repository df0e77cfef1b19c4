//! A host that notes what it is asked.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::question::{Answer, Question};
use crate::apply::index;
use crate::host::{Accounts, Attributes, Host, Lock, Ran};

/// Another host, and what it was asked.
pub struct Witness<'h> {
    host: &'h dyn Host,
    /// In the order in which they were asked first.
    answers: RefCell<Vec<(Question, Answer)>>,
    known: RefCell<HashMap<Question, usize>>,
    /// Whether it was asked for something that cannot be asked again with the same result, or
    /// answered one question in two ways.
    is_in_doubt: Cell<bool>,
}

impl<'h> Witness<'h> {
    /// One that has seen nothing yet.
    pub fn new(host: &'h dyn Host) -> Witness<'h> {
        Witness {
            host,
            answers: RefCell::default(),
            known: RefCell::default(),
            is_in_doubt: Cell::new(false),
        }
    }

    /// The host that answers.
    pub fn host(&self) -> &'h dyn Host {
        self.host
    }

    /// All questions with their answers; `None`: they do not tell everything.
    pub(super) fn answers(&self) -> Option<Vec<(Question, Answer)>> {
        // Which Postfix this is may have been found out by somebody else before.
        self.note(Question::Program("postconf".to_owned()), || {
            Answer::of_read(&self.host.program("postconf"))
        });
        (!self.is_in_doubt.get()).then(|| self.answers.borrow().clone())
    }

    fn note(&self, question: Question, answer: impl FnOnce() -> Answer) {
        let answer = answer();
        let mut answers = self.answers.borrow_mut();
        let mut known = self.known.borrow_mut();
        match known.get(&question) {
            Some(index) if answers[*index].1 == answer => {}
            Some(_) => self.is_in_doubt.set(true),
            None => {
                known.insert(question.clone(), answers.len());
                answers.push((question, answer));
            }
        }
    }

    /// What a host says cannot be noted.
    fn doubt(&self) -> &'h dyn Host {
        self.is_in_doubt.set(true);
        self.host
    }

    /// What postmap lists is what stands in the files of the index, which cost less to look at.
    fn note_index(&self, arguments: &[&OsStr]) -> bool {
        let is_listing = arguments.iter().any(|it| *it == "-s" || *it == "-q");
        let table = arguments.last().and_then(|it| it.to_str()?.split_once(':'));
        let Some((kind, path)) = table.filter(|_| is_listing) else { return false };
        let files = index::files(kind, Path::new(path));
        for (_, file) in &files {
            let read = || Answer::of_read(&self.host.read(file));
            self.note(Question::Read(file.clone()), read);
        }
        let program = "postmap";
        self.note(Question::Program(program.to_owned()), || {
            Answer::of_read(&self.host.program(program))
        });
        !files.is_empty()
    }
}

impl Host for Witness<'_> {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let read = self.host.read(path);
        self.note(Question::Read(path.to_owned()), || Answer::of_read(&read));
        read
    }

    fn exists(&self, path: &Path) -> bool {
        let said = self.host.exists(path);
        self.note(Question::Exists(path.to_owned()), || Answer::of(&said));
        said
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        let said = self.host.resolve(path);
        self.note(Question::Resolve(path.to_owned()), || Answer::of(&said));
        said
    }

    fn is_directory(&self, path: &Path) -> bool {
        let said = self.host.is_directory(path);
        self.note(Question::IsDirectory(path.to_owned()), || Answer::of(&said));
        said
    }

    fn directories(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        let said = self.host.directories(path);
        self.note(Question::Directories(path.to_owned()), || Answer::of(&said));
        said
    }

    fn names(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let said = self.host.names(path);
        self.note(Question::Names(path.to_owned()), || Answer::of(&said));
        said
    }

    fn matching(&self, pattern: &str) -> io::Result<Vec<PathBuf>> {
        let said = self.host.matching(pattern);
        self.note(Question::Matching(pattern.to_owned()), || Answer::of(&said));
        said
    }

    fn attributes(&self, path: &Path) -> io::Result<Attributes> {
        let said = self.host.attributes(path);
        self.note(Question::Attributes(path.to_owned()), || Answer::of(&said));
        said
    }

    fn account(&self, accounts: Accounts, name: &OsStr) -> io::Result<Option<Vec<u8>>> {
        let Some(text) = name.to_str() else { return self.doubt().account(accounts, name) };
        let question = match accounts {
            Accounts::Users => Question::User(text.to_owned()),
            Accounts::Groups => Question::Group(text.to_owned()),
        };
        let said = self.host.account(accounts, name);
        self.note(question, || Answer::of(&said));
        said
    }

    fn is_copy(&self) -> bool {
        let said = self.host.is_copy();
        self.note(Question::IsCopy, || Answer::of(&said));
        said
    }

    fn program(&self, name: &str) -> io::Result<Vec<u8>> {
        let read = self.host.program(name);
        self.note(Question::Program(name.to_owned()), || Answer::of_read(&read));
        read
    }

    fn hostname(&self) -> Option<String> {
        let said = self.host.hostname();
        self.note(Question::Hostname, || Answer::of(&said));
        said
    }

    fn addresses(&self) -> Vec<(IpAddr, u8)> {
        let said = self.host.addresses();
        self.note(Question::Addresses, || Answer::of(&said));
        said
    }

    fn unix_day(&self) -> u64 {
        let said = self.host.unix_day();
        self.note(Question::Day, || Answer::of(&said));
        said
    }

    fn run(&self, program: &str, arguments: &[&OsStr], input: &[u8]) -> io::Result<Ran> {
        if program == "postmap" && self.note_index(arguments) {
            return self.host.run(program, arguments, input);
        }
        let texts: Option<Vec<String>> =
            arguments.iter().map(|it| it.to_str().map(str::to_owned)).collect();
        let Some(texts) = texts.filter(|_| input.is_empty()) else {
            return self.doubt().run(program, arguments, input);
        };
        let said = self.host.run(program, arguments, input);
        self.note(Question::Run(program.to_owned(), texts), || Answer::of(&said));
        said
    }

    fn process_id(&self) -> u32 {
        self.doubt().process_id()
    }

    fn unix_time(&self) -> u64 {
        self.doubt().unix_time()
    }

    fn read_from(&self, path: &Path, offset: u64) -> io::Result<Vec<u8>> {
        self.doubt().read_from(path, offset)
    }

    fn sleep(&self, time: Duration) {
        self.host.sleep(time);
    }

    fn stage(&self, target: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
        self.doubt().stage(target, bytes)
    }

    fn flush(&self, path: &Path) -> io::Result<()> {
        self.doubt().flush(path)
    }

    fn keep(&self, file: &Path) -> io::Result<PathBuf> {
        self.doubt().keep(file)
    }

    fn store(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.doubt().store(path, bytes)
    }

    fn make_directory(&self, path: &Path) -> io::Result<()> {
        self.doubt().make_directory(path)
    }

    fn lock(&self, path: &Path, patience: Duration) -> io::Result<Lock> {
        self.doubt().lock(path, patience)
    }

    fn copy_attributes(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.doubt().copy_attributes(from, to)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.doubt().rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.doubt().remove(path)
    }
}
