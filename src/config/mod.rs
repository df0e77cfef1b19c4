//! What the files mean together: the value of a parameter and who set it.
//!
//! Known limit: the host's own values (myhostname and the like) are not known here.

mod services;
mod tables;

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::RandomState;

pub use services::{Override, Services};
pub use tables::{TableKind, TableName};

use crate::postfix::{self, Build, Parameter, Version};
use crate::syntax::expand::{self, Error};
use crate::syntax::main_cf::{Entry, Kind, MainCf, Value};
use crate::text::{SourceId, Sources, Span};

/// A main.cf and the Postfix that reads it.
#[derive(Debug)]
pub struct Configuration<'a> {
    /// The Postfix that must accept the files.
    pub version: Version,
    source: SourceId,
    bytes: &'a [u8],
    main_cf: MainCf,
    /// For each name the group of the entry that counts: the last one.
    last: HashMap<&'a [u8], usize, RandomState>,
    /// Values that are to stand there, for a question about what will be.
    planned: HashMap<String, Option<Vec<u8>>, RandomState>,
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
    pub fn new(sources: &'a Sources, source: SourceId, version: Version) -> Configuration<'a> {
        let bytes = sources.source(source).bytes();
        let main_cf = crate::syntax::main_cf::parse(bytes);
        let mut last = HashMap::default();
        for (index, group) in main_cf.groups.iter().enumerate() {
            if let Kind::Entry(entry) = &group.kind {
                last.insert(&bytes[entry.name.clone()], index);
            }
        }
        Configuration { version, source, bytes, main_cf, last, planned: HashMap::default() }
    }

    /// The same with other values; `None`: not set.
    #[must_use]
    pub fn planned<'p>(mut self, values: impl Iterator<Item = (&'p str, Option<&'p str>)>) -> Self {
        let own = |(name, value): (&str, Option<&str>)| (name.to_owned(), value.map(Into::into));
        self.planned.extend(values.map(own));
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

    /// The entry of `name` that counts.
    pub fn setting(&self, name: &str) -> Option<Setting<'_>> {
        let index = *self.last.get(name.as_bytes())?;
        match &self.main_cf.groups[index].kind {
            Kind::Entry(entry) => Some(self.setting_of(entry)),
            Kind::Trivia | Kind::MissingEquals | Kind::MissingName | Kind::Orphan => None,
        }
    }

    /// The value of a parameter, expanded, and who says so. An unknown name has an empty one.
    pub fn value(&self, name: &str) -> (Result<Vec<u8>, Error>, Origin) {
        if let Some(Some(value)) = self.planned.get(name) {
            return (self.expand(value), Origin::Default);
        }
        match self.setting(name).filter(|_| !self.planned.contains_key(name)) {
            Some(setting) => {
                (self.expand(setting.value().text()), Origin::Set(setting.value_span()))
            }
            None => {
                let default = self.default(name).unwrap_or_default();
                (self.expand(default.as_bytes()), Origin::Default)
            }
        }
    }

    /// Expands `$name` as Postfix does.
    pub fn expand(&self, text: &[u8]) -> Result<Vec<u8>, Error> {
        if !text.contains(&b'$') {
            return Ok(text.to_vec());
        }
        expand::expand(text, &|name| self.raw(name))
    }

    /// The lookup tables in a parameter's list, in order.
    pub fn tables(&self, name: &str) -> Vec<TableName> {
        tables::of(self, name)
    }

    /// A value before expansion, as `$name` finds it.
    fn raw(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        match self.planned.get(name) {
            Some(Some(value)) => return Some(Cow::Borrowed(value)),
            Some(None) => {}
            None => {
                if let Some(setting) = self.setting(name) {
                    return Some(Cow::Owned(setting.value().text().to_vec()));
                }
            }
        }
        match name {
            // Kept as it is: the tables' paths are resolved by whoever reads files.
            "config_directory" => Some(Cow::Borrowed(b"$$config_directory")),
            _ => Some(match self.default(name)? {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            }),
        }
    }

    fn default(&self, name: &str) -> Option<Cow<'static, str>> {
        postfix::parameter(name)?.default_in(&Build::of_version(self.version))
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
