//! The types of lookup tables: one line of data for each.
//!
//! A type is one that Postfix's source has (`util/dict_open.c`, `global/mail_dict.c`); whether
//! a build has it as well is for `postconf -m` to say. Names are those of the source: case counts.
//!
//! Known limit: a package may bring types of its own, in dynamicmaps.cf.

use super::Version;

/// A type of lookup table.
#[derive(Debug)]
pub struct TableType {
    /// The word before the colon.
    pub name: &'static str,
    /// The version that brought it; `None` where the oldest one that postls knows has it.
    pub since: Option<Version>,
    /// What the name behind the colon is.
    pub reads: Reads,
}

/// What the name of a table is, and so where its rows come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// A source file that postmap has made an indexed file of.
    Index,
    /// A text file that is read as it is.
    TextFile,
    /// A text file of patterns, or from 3.7 on the patterns themselves: `{{…}, {…}}`.
    Patterns,
    /// A client's configuration file, or the beginning of parameter names.
    ClientFile,
    /// A server's address, or a name that a service of the host knows; nothing to check.
    Service,
    /// `inet:host:port:name`, `unix:path:name`.
    Socketmap,
    /// One of two tables of the host's accounts.
    Accounts,
    /// Another table, in front of which the type stands: `proxy:type:name`.
    Table,
    /// Tables in braces: `{type:name, type:name}`.
    Tables,
    /// The rows themselves: `{key=value, { key = value with blanks }}`.
    Pairs,
    /// Results in braces: `{value, value}`.
    Values,
    /// The one result: `value`, `{ value with blanks }`.
    Value,
    /// Nothing: any name will do.
    Nothing,
}

impl TableType {
    /// Whether a Postfix of this version may have it.
    pub fn exists_in(&self, version: Version) -> bool {
        self.since.is_none_or(|since| since <= version)
    }
}

/// All types, sorted by name.
pub fn table_types() -> impl Iterator<Item = &'static TableType> {
    TYPES.iter()
}

/// The type called `name`.
pub fn table_type(name: &str) -> Option<&'static TableType> {
    TYPES.iter().find(|it| it.name == name)
}

/// The version that brought patterns in the name of a table ([`Reads::Patterns`]).
pub const PATTERNS_IN_NAMES: Version = Version::new(3, 7);

const fn of(name: &'static str, reads: Reads) -> TableType {
    TableType { name, since: None, reads }
}

const fn since(version: Version, name: &'static str, reads: Reads) -> TableType {
    TableType { name, since: Some(version), reads }
}

static TYPES: &[TableType] = &[
    of("btree", Reads::Index),
    of("cdb", Reads::Index),
    of("cidr", Reads::Patterns),
    of("dbm", Reads::Index),
    since(Version::new(3, 11), "debug", Reads::Table),
    of("environ", Reads::Nothing),
    of("fail", Reads::Nothing),
    of("hash", Reads::Index),
    of("inline", Reads::Pairs),
    of("internal", Reads::Nothing),
    of("ldap", Reads::ClientFile),
    of("lmdb", Reads::Index),
    of("memcache", Reads::ClientFile),
    since(Version::new(3, 9), "mongodb", Reads::ClientFile),
    of("mysql", Reads::ClientFile),
    of("netinfo", Reads::Service),
    of("nis", Reads::Service),
    of("nisplus", Reads::Service),
    of("pcre", Reads::Patterns),
    of("pgsql", Reads::ClientFile),
    of("pipemap", Reads::Tables),
    of("proxy", Reads::Table),
    of("randmap", Reads::Values),
    of("regexp", Reads::Patterns),
    of("sdbm", Reads::Index),
    of("socketmap", Reads::Socketmap),
    of("sqlite", Reads::ClientFile),
    of("static", Reads::Value),
    of("tcp", Reads::Service),
    of("texthash", Reads::TextFile),
    of("unionmap", Reads::Tables),
    of("unix", Reads::Accounts),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_come_with_versions() {
        assert!(TYPES.is_sorted_by(|a, b| a.name < b.name), "sorted, no name twice");
        let has =
            |name, minor| table_type(name).is_some_and(|it| it.exists_in(Version::new(3, minor)));
        assert!(has("hash", 5) && !has("HASH", 12) && !has("debug", 10) && has("debug", 11));
        assert!(!has("mongodb", 8) && has("mongodb", 9));
    }
}
