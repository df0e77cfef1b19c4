//! Reads a configuration directory: what lint looks at and plans start from.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::OnceLock;

use super::load_policies::{ListedTable, ListedValues};
use super::load_tables::OtherTables;
use super::{Common, Stop, environment};
use crate::config::TableName;
use crate::finding::{Finding, NotChecked};
use crate::host::Host;
use crate::lint::Context;
use crate::plan::Base;
use crate::policy::yaml::{self, Role};
use crate::policy::{self, Date, Policies, Problem};
use crate::postfix::{Build, Version};
use crate::report::human::printable;
use crate::text::{SourceId, Sources};

/// The policy file's name where none is given.
pub(super) const POLICY_FILE: &str = "postls.yaml";

/// The directory that names in Postfix's files usually mean.
pub(super) const DEFAULT_DIRECTORY: &str = "/etc/postfix";

/// What to read.
pub(super) struct Request<'a> {
    /// Without symbolic links: Postfix's commands want it absolute, and a file
    /// has one name in it however the directory was called.
    pub(super) directory: PathBuf,
    /// The policy file; `None`: postls.yaml in the directory, if it is there.
    pub(super) policy: Option<&'a Path>,
    /// Whose file `policy` is.
    pub(super) policy_of: Whose,
    /// Bytes that stand for a file of the directory, whether it exists or not.
    pub(super) instead: BTreeMap<String, Vec<u8>>,
    /// What stands before the names of its files in all that is shown: the
    /// directory as it was given, where there are several; empty otherwise.
    pub(super) shown_in: PathBuf,
    pub(super) postfix: Option<Version>,
    /// The Postfix of this host, if it has one: looked at once, whatever is read.
    pub(super) at_hand: &'a OnceLock<Option<Build>>,
    pub(super) verbose: bool,
    /// Whether the directory is taken for one that a Postfix of this host runs with.
    pub(super) host: TheHost,
}

/// Whether a directory is a Postfix's of this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TheHost {
    /// Its place says so, or says that it is a copy.
    ByPlace,
    /// The user says so.
    Its,
}

/// Whose file a policy file is that was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// Of the system that is looked at.
    Hosts,
    /// Of this machine, whatever system is looked at. A plan does not depend on it: who makes true what
    /// it says reads the files of the other system alone.
    Machines,
}

/// Everything that was read.
pub(super) struct Loaded {
    pub(super) directory: PathBuf,
    pub(super) sources: Sources,
    pub(super) main_cf: Option<SourceId>,
    pub(super) master_cf: Option<SourceId>,
    /// The tables of rows that could be read, with those who ask them for TLS policies.
    pub(super) tables: Vec<ListedTable>,
    /// All other tables, as far as they could be read.
    pub(super) others: OtherTables,
    /// The policies in tables of other kinds.
    pub(super) values: Vec<ListedValues>,
    pub(super) policy: Option<Rc<PolicyFile>>,
    pub(super) build: Build,
    pub(super) version_why: &'static str,
    pub(super) not_checked: Vec<NotChecked>,
    pub(super) today: Option<Date>,
    /// The errors that lint finds, once it has looked.
    pub(super) errors: OnceCell<Vec<Finding>>,
}

/// The policy file with what it includes.
pub(super) struct PolicyFile {
    pub(super) policies: Policies,
    pub(super) problems: Vec<Problem>,
    /// All files that were read for it.
    pub(super) sources: Vec<SourceId>,
    /// The same, as a plan names them, and behind them the files that pins name.
    pub(super) inputs: Vec<Base>,
    /// The name for the table's header: it must not depend on where postls was started.
    pub(super) short_name: String,
}

impl Common {
    /// A request for a directory.
    pub(super) fn request(&self, host: &dyn Host, directory: &Path) -> Request<'_> {
        Request {
            directory: resolved(host, directory),
            policy: None,
            policy_of: Whose::Hosts,
            instead: BTreeMap::new(),
            shown_in: PathBuf::new(),
            postfix: self.postfix,
            at_hand: &self.at_hand,
            verbose: self.verbose,
            host: TheHost::ByPlace,
        }
    }
}

impl Request<'_> {
    /// Whether the directory is one that a Postfix of this host runs with, and no copy of it.
    pub(super) fn is_live(&self, host: &dyn Host) -> bool {
        match self.host {
            TheHost::Its => true,
            TheHost::ByPlace => is_live(host, &self.directory),
        }
    }

    /// The same, with these bytes for these files too.
    pub(super) fn with(&self, files: BTreeMap<String, Vec<u8>>) -> Request<'_> {
        let mut instead = self.instead.clone();
        instead.extend(files);
        Request {
            directory: self.directory.clone(),
            instead,
            shown_in: self.shown_in.clone(),
            ..*self
        }
    }
}

impl Loaded {
    /// What rules look at.
    pub(super) fn context(&self) -> Context<'_> {
        let mut context = Context::new(&self.sources, self.main_cf, self.build.clone());
        context.today = self.today;
        if let Some(master_cf) = self.master_cf {
            context.add_services(master_cf);
        }
        for (source, kind, clients) in &self.tables {
            context.add_table(*source, *kind, clients.clone());
        }
        for listed in &self.values {
            // What cannot be known was said when it was loaded.
            let _ = listed.add(&self.sources, &mut context);
        }
        for table in &self.others.lookups {
            context.add_lookup(table.clone());
        }
        for (source, text) in &self.others.patterns {
            context.add_patterns(*source, text);
        }
        if let Some(policy) = &self.policy {
            context.add_policies(&policy.policies, &policy.problems);
        }
        context
    }

    /// The id of the file with this name, if it was read.
    pub(super) fn source(&self, name: &str) -> Option<SourceId> {
        self.sources.iter().find(|(_, source)| source.name() == name).map(|(id, _)| id)
    }
}

/// Reads what `request` names.
pub(super) fn load(host: &dyn Host, request: &Request<'_>) -> Result<Loaded, Stop> {
    let mut loader = Loader { host, request, sources: Sources::default(), not_checked: Vec::new() };
    let policy = loader.policy()?.map(Rc::new);
    loader.load(policy)
}

/// main.cf and master.cf, and a way to the files of the tables that they name.
pub(super) struct Bare<'a> {
    pub(super) loader: Loader<'a>,
    pub(super) main_cf: Option<SourceId>,
    pub(super) master_cf: Option<SourceId>,
    pub(super) build: Build,
    pub(super) version_why: &'static str,
}

/// Reads main.cf and master.cf, and of a policy file, which may be large, the version that it is
/// written for.
pub(super) fn load_bare<'a>(
    host: &'a dyn Host,
    request: &'a Request<'a>,
) -> Result<Bare<'a>, Stop> {
    let mut loader = Loader { host, request, sources: Sources::default(), not_checked: Vec::new() };
    let policy = request.directory.join(POLICY_FILE);
    let wanted = if host.exists(&policy) { version_of(&read(host, &policy)?) } else { None };
    let wanted = wanted.map(|it| (it, "the policy file"));
    let at_hand = request.at_hand.get_or_init(|| environment::at_hand(host));
    let asked = request.postfix.map(|it| (it, "--postfix"));
    let (build, version_why) = environment::build(at_hand.clone(), asked.or(wanted));
    let main_cf = loader.optional("main.cf")?;
    let master_cf = loader.optional("master.cf")?;
    Ok(Bare { loader, main_cf, master_cf, build, version_why })
}

/// The `postfix:` of a policy file.
fn version_of(policy: &[u8]) -> Option<Version> {
    let line = policy.split(|it| *it == b'\n').find(|it| it.starts_with(b"postfix:"))?;
    let text = [b"version: 1\n", line].concat();
    let mut sources = Sources::default();
    let source = sources.add("", text.clone());
    let (policies, _) = policy::join(vec![yaml::read(source, &text, Role::Main)]);
    policies.postfix.map(|it| it.value)
}

/// Where the file of a table was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Where the table's name says.
    AsNamed,
    /// In a copy of the directory that the name says.
    Copy,
}

/// Reads one file after the other.
pub(super) struct Loader<'a> {
    pub(super) host: &'a dyn Host,
    pub(super) request: &'a Request<'a>,
    pub(super) sources: Sources,
    pub(super) not_checked: Vec<NotChecked>,
}

impl Loader<'_> {
    /// Reads everything but the policy file, which comes first.
    pub(super) fn load(mut self, policy: Option<Rc<PolicyFile>>) -> Result<Loaded, Stop> {
        let (build, version_why) = self.build(policy.as_deref());
        let main_cf = self.optional("main.cf")?;
        let master_cf = self.optional("master.cf")?;
        let (mut tables, values) = match main_cf {
            Some(main_cf) => self.tables(main_cf, master_cf, &build)?,
            None => (Vec::new(), Vec::new()),
        };
        self.say_what_is_decided_at_run_time(&values, &build);
        let others = main_cf.map(|it| self.lookups(it, master_cf, &build, &mut tables));
        self.say_what_is_left_out();
        Ok(Loaded {
            directory: self.request.directory.clone(),
            sources: self.sources,
            main_cf,
            master_cf,
            tables,
            values,
            others: others.unwrap_or_default(),
            policy,
            build,
            version_why,
            not_checked: self.not_checked,
            today: Date::of_unix_day(self.host.unix_day()),
            errors: OnceCell::new(),
        })
    }

    /// A file of the directory, if it is there.
    fn optional(&mut self, name: &str) -> Result<Option<SourceId>, Stop> {
        let path = self.request.directory.join(name);
        if !self.request.instead.contains_key(name) && !self.host.exists(&path) {
            return Ok(None);
        }
        self.read(&path, name).map(Some)
    }

    pub(super) fn read(&mut self, path: &Path, name: &str) -> Result<SourceId, Stop> {
        let bytes = match self.request.instead.get(name) {
            Some(bytes) => bytes.clone(),
            None => read(self.host, path)?,
        };
        Ok(self.add(path, name, bytes))
    }

    /// Bytes that were read, under a name.
    pub(super) fn add(&mut self, path: &Path, name: &str, bytes: Vec<u8>) -> SourceId {
        if self.request.verbose {
            let _ = writeln!(
                std::io::stderr(),
                "postls: read {} ({} bytes)",
                printable(&path.display().to_string()),
                bytes.len()
            );
        }
        let shown = self.request.shown_in.join(name);
        self.sources.add(shown.to_string_lossy(), bytes)
    }

    /// The Postfix to judge for, and why that one.
    fn build(&self, policy: Option<&PolicyFile>) -> (Build, &'static str) {
        let wanted = self.request.postfix.map(|it| (it, "--postfix"));
        let in_policy = || Some((policy?.policies.postfix.as_ref()?.value, "the policy file"));
        let at_hand = self.request.at_hand.get_or_init(|| environment::at_hand(self.host));
        environment::build(at_hand.clone(), wanted.or_else(in_policy))
    }

    /// The source file of a table, if it is to be had; says where another one is taken for it.
    pub(super) fn path(&mut self, table: &TableName) -> Result<PathBuf, String> {
        let (path, place) = self.find(table)?;
        if place == Place::Copy {
            let name = name_in(&self.request.directory, &path);
            self.skip_table(
                table,
                &format!("taken to be {name} here, as in a copy of {DEFAULT_DIRECTORY}"),
            );
        }
        Ok(path)
    }

    /// The source file of a table, if it is to be had.
    pub(super) fn find(&self, table: &TableName) -> Result<(PathBuf, Place), String> {
        let directory = &self.request.directory;
        let missing = || Err("there is no such file".to_owned());
        let there = |path: &Path| {
            let is_given = self.request.instead.contains_key(&name_in(directory, path));
            is_given || self.host.exists(path)
        };
        let path = match table.name.strip_prefix("$config_directory/") {
            Some(inside) => directory.join(inside),
            None => PathBuf::from(&table.name),
        };
        if !path.is_absolute() {
            return Err("the name is relative, and what it is relative to depends on the program"
                .to_owned());
        }
        match self.in_copy(&path) {
            Some(path) if there(&path) => Ok((path, Place::Copy)),
            None if there(&path) => Ok((path, Place::AsNamed)),
            Some(_) | None => missing(),
        }
    }

    /// What a name below /etc/postfix means in a copy: the copy, not this host's.
    pub(super) fn in_copy(&self, path: &Path) -> Option<PathBuf> {
        let inside = path.strip_prefix(DEFAULT_DIRECTORY).ok();
        let inside = inside.filter(|_| !self.request.is_live(self.host));
        inside.map(|it| self.request.directory.join(it))
    }

    pub(super) fn skip_table(&mut self, table: &TableName, why: &str) {
        let shown_in = self.request.shown_in.display();
        if self.request.shown_in.as_os_str().is_empty() {
            self.skip(&table.text, why);
        } else {
            self.skip(&format!("{shown_in}: {}", table.text), why);
        }
    }

    /// Says once that something was not checked.
    pub(super) fn skip(&mut self, what: &str, why: &str) {
        if !self.not_checked.iter().any(|it| it.what == what && it.why == why) {
            self.not_checked.push(NotChecked { what: what.to_owned(), why: why.to_owned() });
        }
    }

    fn say_what_is_left_out(&mut self) {
        self.skip("database client files", "postls does not look at them yet");
        if !cfg!(feature = "openssl") {
            let what = "whether private keys belong to their certificates";
            self.skip(what, "this postls was built without OpenSSL");
        }
    }
}

/// A path without symbolic links, or as it is where there is nothing.
pub(super) fn resolved(host: &dyn Host, path: &Path) -> PathBuf {
    host.resolve(path).unwrap_or_else(|_| path.to_owned())
}

/// The directory that a file stands in.
pub(super) fn parent(path: &Path) -> &Path {
    path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether a directory is one that a Postfix of this host runs with, and no copy of it.
pub(super) fn is_live(host: &dyn Host, directory: &Path) -> bool {
    !host.is_copy()
        && host
            .resolve(directory)
            .is_ok_and(|it| it.starts_with("/etc") || it.starts_with("/usr/local/etc"))
}

/// What main.cf may call a file of the directory.
pub(super) fn names_of(host: &dyn Host, directory: &Path, file: &str) -> Vec<String> {
    let mut names = vec![
        format!("$config_directory/{file}"),
        directory.join(file).to_string_lossy().into_owned(),
    ];
    if !is_live(host, directory) {
        names.push(format!("{DEFAULT_DIRECTORY}/{file}"));
    }
    names
}

/// A path relative to the configuration directory where it stands in it.
pub(super) fn name_in(directory: &Path, path: &Path) -> String {
    path.strip_prefix(directory).unwrap_or(path).to_string_lossy().into_owned()
}

/// Reads a file, or says which one could not be read and why.
pub(super) fn read(host: &dyn Host, path: &Path) -> Result<Vec<u8>, Stop> {
    host.read(path).map_err(|error| Stop(format!("{}: {}", path.display(), why_unread(&error))))
}

/// Why a file could not be read.
pub(super) fn why_unread(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::PermissionDenied => "it may not be read by this user".to_owned(),
        _ => error.to_string(),
    }
}
