//! What the files mean together: the value of a parameter and who set it.

mod certificate_uses;
mod destination;
mod effective;
mod environment;
mod names;
mod networks;
mod next_hops;
mod read_values;
mod references;
mod refusal;
mod server;
mod services;
mod table_files;
mod table_uses;
mod tables;
mod tls_client;

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::RandomState;

pub use certificate_uses::{CertificateUse, Form, NamedFile, TrustKind, TrustUse, sni_files};
pub use destination::{Destination, Lookup};
pub use effective::{Effective, Within};
pub use environment::{ConfigDirectory, Environment};
pub use names::{Because, Names, Undefined};
pub use networks::Interface;
pub use next_hops::{
    Client, Endpoint, LookupTable, NextHop, NextHops, Transport, holds_passwords, routes_mail,
};
pub use read_values::ReadValue;
pub use refusal::{Refusal, refusal_of_client};
pub use server::{Port, Server, ServerTls};
pub use services::{Local, Override, Scope, Services};
pub use table_files::{Grammar, TableFile};
pub use table_uses::TableUse;
pub use tables::{TableKind, TableName};
pub use tls_client::{Given, GlobalLevel, TlsClient};

pub use crate::lookup::{Content, TableProblem, TableReference, Why, texthash};
use crate::postfix::{self, Parameter, Type};
use crate::syntax::expand::{self, Error, Meaning};
use crate::syntax::main_cf::{Entry, Kind, MainCf, Value};
use crate::text::{SourceId, Sources, Span};

/// A main.cf and the Postfix that reads it.
#[derive(Debug)]
pub struct Configuration<'a> {
    /// The Postfix that must accept the files, and its host.
    pub environment: Environment,
    source: SourceId,
    bytes: &'a [u8],
    main_cf: MainCf,
    /// For each name the group of the entry that counts: the last one.
    last: HashMap<&'a [u8], usize, RandomState>,
    /// Values that are to stand there, for a question about what will be.
    planned: HashMap<String, Option<Planned>, RandomState>,
    asked: tls_client::Asked,
}

impl Origin {
    /// Where it is set; `None`: nobody does.
    pub fn span(self) -> Option<Span> {
        match self {
            Origin::Default => None,
            Origin::Set(span) => Some(span),
        }
    }
}

/// A value that is to stand in main.cf, and who wants it.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The value before expansion.
    pub value: Vec<u8>,
    /// Where that is said.
    pub span: Span,
}

/// One entry of main.cf.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'c> {
    entry: &'c Entry,
    source: SourceId,
    bytes: &'c [u8],
    /// The built-in parameter of that name, if there is one.
    pub parameter: Option<&'static Parameter>,
}

/// Who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Postfix's own default.
    Default,
    /// The value at this place.
    Set(Span),
}

impl<'a> Configuration<'a> {
    /// Reads a main.cf among the sources.
    pub fn new(
        sources: &'a Sources,
        source: SourceId,
        environment: impl Into<Environment>,
    ) -> Configuration<'a> {
        let bytes = sources.source(source).bytes();
        let main_cf = crate::syntax::main_cf::parse(bytes);
        let mut last = HashMap::default();
        for (index, group) in main_cf.groups.iter().enumerate() {
            if let Kind::Entry(entry) = &group.kind {
                last.insert(&bytes[entry.name.clone()], index);
            }
        }
        let (environment, planned) = (environment.into(), HashMap::default());
        let asked = tls_client::Asked::default();
        Configuration { environment, source, bytes, main_cf, last, planned, asked }
    }

    /// The same with other values; `None`: not set.
    #[must_use]
    pub fn planned(mut self, values: impl Iterator<Item = (String, Option<Planned>)>) -> Self {
        self.planned.extend(values);
        self
    }

    /// The file as written.
    pub fn main_cf(&self) -> &MainCf {
        &self.main_cf
    }

    /// A place in main.cf.
    pub fn span(&self, range: std::ops::Range<usize>) -> Span {
        Span::new(self.source, range)
    }

    /// All bytes of main.cf.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Every entry, in the order of the file.
    pub fn all_settings(&self) -> impl Iterator<Item = Setting<'_>> {
        self.main_cf.entries().map(|entry| self.setting_of(entry))
    }

    /// The entries that count, the last of each name, sorted by name.
    pub fn effective_settings(&self) -> impl Iterator<Item = Setting<'_>> {
        let mut names: Vec<&[u8]> = self.last.keys().copied().collect();
        names.sort_unstable();
        names.into_iter().filter_map(|name| self.setting_at(self.last[name]))
    }

    /// Whether main.cf sets this name.
    pub fn sets(&self, name: &[u8]) -> bool {
        self.last.contains_key(name)
    }

    /// The entry of `name` that counts.
    pub fn setting(&self, name: &str) -> Option<Setting<'_>> {
        self.setting_at(*self.last.get(name.as_bytes())?)
    }

    fn setting_at(&self, index: usize) -> Option<Setting<'_>> {
        match &self.main_cf.groups[index].kind {
            Kind::Entry(entry) => Some(self.setting_of(entry)),
            Kind::Trivia | Kind::MissingEquals | Kind::MissingName | Kind::Orphan => None,
        }
    }

    /// The value of a parameter, expanded if it is not a raw one, and who says so. An unknown
    /// name has an empty one.
    pub fn value(&self, name: &str) -> (Result<Vec<u8>, Error>, Origin) {
        let text = self.given(name).or_else(|| self.default(name)).unwrap_or_default();
        let value = if self.is_raw(name) { Ok(text.into_owned()) } else { self.expand(&text) };
        (value, self.origin(name))
    }

    /// Who says what the value is.
    pub fn origin(&self, name: &str) -> Origin {
        let span = match self.planned.get(name) {
            Some(planned) => planned.as_ref().map(|it| it.span),
            None => self.setting(name).map(|it| it.value_span()),
        };
        span.map_or(Origin::Default, Origin::Set)
    }

    /// Expands `$name` as Postfix does.
    pub fn expand(&self, text: &[u8]) -> Result<Vec<u8>, Error> {
        let lookup =
            |name: &str| self.meaning(name, self.given(name).or_else(|| self.default(name)));
        self.expand_with(text, &lookup)
    }

    /// Expands with the names that main.cf itself sets, and no defaults.
    fn expand_alone(&self, text: &[u8]) -> Result<Vec<u8>, Error> {
        self.expand_with(text, &|name| self.meaning(name, self.given(name)))
    }

    fn expand_with(&self, text: &[u8], lookup: &expand::Lookup<'_>) -> Result<Vec<u8>, Error> {
        if memchr::memchr(b'$', text).is_none() {
            return Ok(text.to_vec());
        }
        expand::expand(text, self.environment.dialect(), lookup)
    }

    fn meaning<'c>(&self, name: &str, text: Option<Cow<'c, [u8]>>) -> Option<Meaning<'c>> {
        Some(Meaning { text: text?, raw: self.is_raw(name) })
    }

    /// Whether a name is a parameter with references of its own kind.
    pub fn is_raw(&self, name: &str) -> bool {
        let build = &self.environment.build;
        postfix::parameter(name).is_some_and(|it| it.kind == Type::Raw && it.exists_in(build))
    }

    /// Whether postconf drops what the files say of a name: a program knows it better.
    pub fn is_read_only(&self, name: &str) -> bool {
        let build = &self.environment.build;
        postfix::parameter(name).is_some_and(|it| it.is_read_only_in(build))
    }

    /// What main.cf says before expansion.
    fn given(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        match self.planned.get(name) {
            Some(Some(planned)) => Some(Cow::Borrowed(&planned.value)),
            Some(None) => None,
            None => self.setting(name).map(|it| Cow::Owned(it.value().text().to_vec())),
        }
    }

    /// What Postfix takes, before expansion, where nobody says anything.
    fn default(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        let environment = &self.environment;
        match name {
            "config_directory" => match &environment.config_directory {
                // Kept as it is: the tables' paths are resolved by whoever reads files.
                ConfigDirectory::Anywhere => Some(Cow::Borrowed(b"$$config_directory")),
                ConfigDirectory::Usual => Some(Cow::Borrowed(b"/etc/postfix")),
                ConfigDirectory::Named(directory) => Some(Cow::Borrowed(directory)),
            },
            "myhostname" => Some(Cow::Owned(self.default_hostname()?)),
            "mydomain" => Some(Cow::Owned(self.default_domain()?)),
            "mynetworks" => Some(Cow::Owned(self.default_networks()?)),
            "process_id" => Some(Cow::Owned(environment.process_id?.to_string().into_bytes())),
            "process_name" => Some(Cow::Borrowed(b"postconf")),
            _ => Some(match postfix::parameter(name)?.default_in(&environment.build)? {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            }),
        }
    }

    /// `pcf_mynetworks`
    fn default_networks(&self) -> Option<Vec<u8>> {
        let of = |name: &str| match self.given(name) {
            Some(text) => self.expand_alone(&text).ok(),
            None => self.expand(&self.default(name)?).ok(),
        };
        let wanted = networks::Wanted {
            interfaces: of("inet_interfaces")?,
            protocols: of("inet_protocols")?,
            style: of("mynetworks_style")?,
        };
        networks::default(&self.environment.interfaces, &wanted)
    }

    /// `pcf_check_myhostname`
    fn default_hostname(&self) -> Option<Vec<u8>> {
        let name = self.environment.hostname.as_deref()?.as_bytes();
        if name.contains(&b'.') {
            return Some(name.to_vec());
        }
        let domain = self.given("mydomain").map(|it| self.expand_alone(&it).unwrap_or_default());
        Some([name, b".", &domain.unwrap_or_else(|| b"localdomain".to_vec())].concat())
    }

    /// `pcf_check_mydomainname`
    fn default_domain(&self) -> Option<Vec<u8>> {
        let host = match self.given("myhostname") {
            Some(host) => self.expand_alone(&host).unwrap_or_default(),
            None => self.default_hostname()?,
        };
        let dot = host.iter().position(|byte| *byte == b'.');
        Some(dot.map_or_else(|| b"localdomain".to_vec(), |dot| host[dot + 1..].to_vec()))
    }

    fn setting_of<'c>(&'c self, entry: &'c Entry) -> Setting<'c> {
        let parameter =
            std::str::from_utf8(&self.bytes[entry.name.clone()]).ok().and_then(postfix::parameter);
        Setting { entry, source: self.source, bytes: self.bytes, parameter }
    }
}

impl<'c> Setting<'c> {
    /// The name as it is written.
    pub fn name(&self) -> &'c [u8] {
        &self.bytes[self.entry.name.clone()]
    }

    /// Where the name stands.
    pub fn name_span(&self) -> Span {
        Span::new(self.source, self.entry.name.clone())
    }

    /// The value before expansion.
    pub fn value(&self) -> Value<'c> {
        self.entry.value_text(self.bytes)
    }

    /// Where the value stands; empty, behind the `=`, where there is none.
    pub fn value_span(&self) -> Span {
        Span::new(self.source, self.entry.value.clone())
    }

    /// The entry as written.
    pub fn entry(&self) -> &'c Entry {
        self.entry
    }

    /// Where a part of the value stands.
    pub fn span_in_value(&self, range: std::ops::Range<usize>) -> Span {
        Span::new(self.source, self.value().locate(range))
    }
}
