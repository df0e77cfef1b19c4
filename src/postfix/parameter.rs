//! The parameters of main.cf: one line of data for each.
//!
//! `parameters.tsv` holds, separated by tabs: the name; the syntax that
//! Postfix checks when a program reads the value; what the value is about; then
//! what follows, where it applies. A RELEASE is `3.7`, or `3.7.11` for that patch
//! level on in an old version alone.
//!
//! | column | the parameter |
//! | --- | --- |
//! | `since=3.9` | came with 3.9; without it, with 1.x |
//! | `backport=3.7.9` | was brought to 3.7 with this patch level; one column for each version |
//! | `legacy=3.7` | is but an old name from 3.7 on: accepted, not printed by `postconf -d` |
//! | `removed=3.11` | is gone in 3.11 |
//! | `readonly=2.10` | cannot be set from 2.10 on: Postfix ignores it |
//! | `writable=3.11.2` | can be set again, with this patch level, in that version alone |
//! | `deprecated=3.9` | is one that postconf warns of from 3.9 on |
//! | `discouraged=3.6` | is called deprecated by the manual alone |
//! | `instead=NAME` | should give way to that one |
//! | `3.5=TEXT`, `3.7.19=TEXT` | has this default up to 3.5; in 3.7, up to 3.7.19 |
//! | `=TEXT` | has this default otherwise |
//! | `debian=TEXT`, `debian3.11=TEXT` | has this one where Debian built it; from 3.11 on |
//!
//! A default is what `postconf -d` prints. A parameter without any has one that
//! the registry cannot know: see [`Parameter::default_in`].

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use foldhash::fast::FixedState;

use super::{Build, Version};

/// A built-in parameter.
#[derive(Debug)]
pub struct Parameter {
    /// As in main.cf.
    pub name: &'static str,
    /// The syntax of its value.
    pub kind: Type,
    /// What its value is about: `maps`, `file`, `hostname`, `tls-level`, …
    pub about: &'static str,
    /// The version that brought it; `None` for those of 1.x.
    pub since: Option<Version>,
    /// The version since which postconf warns of it: see [`Parameter::is_deprecated_in`].
    pub deprecated: Option<Version>,
    /// The version since which the manual, and nothing else, calls it deprecated.
    pub discouraged: Option<Version>,
    /// What to set in its place.
    pub instead: Option<&'static str>,
    /// The version from which on it is but an old name for another one.
    pub legacy: Option<Version>,
    /// The version that has it no more.
    pub removed: Option<Version>,
    /// The version from which on it cannot be set.
    pub read_only: Option<Version>,
    backports: Vec<Patch>,
    writable: Option<Patch>,
    defaults: Vec<(Until, &'static str)>,
    /// The last one that the version has reached is the one.
    debian: Vec<(Version, &'static str)>,
}

/// A patch level of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Patch {
    version: Version,
    level: u16,
}

/// How long a default holds.
#[derive(Clone, Copy, Debug)]
enum Until {
    Version(Version),
    Patch(Patch),
    Today,
}

/// The syntax that Postfix checks when a program reads a value (`global/mail_conf_*.c`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `yes` or `no`.
    Bool,
    /// A decimal number.
    Int,
    /// A number with a unit: `30s`.
    Time,
    /// Text.
    String,
    /// Text whose `$name` is not expanded when it is read.
    Raw,
    /// One of a few words.
    Enum,
}

/// How a value names lookup tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableList {
    /// Tables alone (`global/maps.c`).
    Tables,
    /// The whole value is one table.
    One,
    /// Words, `!words`, `/file` and tables; a word in brackets is an address (`util/match_list.c`).
    MatchList,
    /// Restrictions, some with a table behind them (`smtpd/smtpd_check.c`).
    Restrictions,
    /// Words; those with a colon are tables.
    Words,
}

impl Parameter {
    /// How the value names lookup tables, if it does.
    ///
    /// Not among these is proxy_read_maps, whose tables are only compared.
    pub fn tables(&self) -> Option<TableList> {
        match self.about {
            "maps" => Some(TableList::Tables),
            "map" | "cache-map" => Some(TableList::One),
            "domain-list" | "match-list" | "network-list" | "user-list" => {
                Some(TableList::MatchList)
            }
            "restriction-list" => Some(TableList::Restrictions),
            "access-list" | "alias-files" | "requiretls-policy" => Some(TableList::Words),
            _ => None,
        }
    }

    /// The patch levels that brought it to older versions, such as `3.7.9`.
    pub fn backports(&self) -> impl Iterator<Item = String> {
        self.backports.iter().map(|it| format!("{}.{}", it.version, it.level))
    }

    /// Whether its table is one that Postfix itself makes and writes.
    pub fn is_cache(&self) -> bool {
        self.about == "cache-map" || self.name.ends_with("_sasl_auth_cache_name")
    }

    /// Whether it is one of the parameters that `postconf -d` prints.
    pub fn exists_in(&self, build: &Build) -> bool {
        let came = self.since.is_none_or(|since| since <= build.version)
            || self.backports.iter().any(|it| it.is_in(build));
        let gone = self.removed.is_some_and(|removed| removed <= build.version);
        came && !gone && !self.is_legacy_in(build)
    }

    /// Whether it is an old name that Postfix accepts (`pcf_legacy_str_table`): where it is
    /// set, it is the default of what took its place.
    pub fn is_legacy_in(&self, build: &Build) -> bool {
        self.legacy.is_some_and(|legacy| legacy <= build.version)
    }

    /// Whether postconf warns of a value that is set: that support for it will be removed, or
    /// has been, where the build has no such parameter any more.
    pub fn is_deprecated_in(&self, build: &Build) -> bool {
        self.deprecated.is_some_and(|since| since <= build.version)
    }

    /// Whether Postfix ignores what main.cf and master.cf say of it.
    pub fn is_read_only_in(&self, build: &Build) -> bool {
        self.read_only.is_some_and(|since| since <= build.version)
            && !self.writable.is_some_and(|it| it.is_in(build))
    }

    /// The default, as `postconf -d` prints it; empty for an old name.
    ///
    /// `None` where it depends on the host (myhostname, mydomain, mynetworks) or the process
    /// (process_id, process_name), and for the release date of a build that is not known.
    pub fn default_in(&self, build: &Build) -> Option<Cow<'static, str>> {
        match self.name {
            "mail_version" => return Some(Cow::Owned(build.full_version.clone())),
            "mail_release_date" => return build.released.clone().map(Cow::Owned),
            _ => {}
        }
        let debian = self.debian.iter().rfind(|(since, _)| build.debian && *since <= build.version);
        let upstream = || self.defaults.iter().find(|(until, _)| until.holds(build)).map(|it| it.1);
        debian.map(|it| it.1).or_else(upstream).map(Cow::Borrowed)
    }
}

impl Parameter {
    /// The version from which on the default is the one of this build; `None` if it always was.
    pub fn default_since(&self, build: &Build) -> Option<Version> {
        let now = self.defaults.iter().position(|(until, _)| until.holds(build))?;
        match self.defaults[now.checked_sub(1)?].0 {
            Until::Version(last) => Some(Version::new(last.major, last.minor + 1)),
            Until::Patch(last) => Some(last.version),
            Until::Today => None,
        }
    }
}

impl Patch {
    fn parse(text: &str) -> Option<Patch> {
        let (_, level) = text.rsplit_once('.')?;
        Some(Patch { version: Version::parse(text)?, level: level.parse().ok()? })
    }

    fn is_in(self, build: &Build) -> bool {
        self.version == build.version && self.level <= build.patch()
    }
}

impl Until {
    fn parse(text: &str) -> Option<Until> {
        match text.matches('.').count() {
            0 => text.is_empty().then_some(Until::Today),
            1 => Version::parse(text).map(Until::Version),
            _ => Patch::parse(text).map(Until::Patch),
        }
    }

    fn holds(self, build: &Build) -> bool {
        match self {
            Until::Version(last) => build.version <= last,
            Until::Patch(last) => build.version == last.version && build.patch() <= last.level,
            Until::Today => true,
        }
    }
}

/// All parameters that any version has or had, sorted by name.
pub fn parameters() -> impl Iterator<Item = &'static Parameter> {
    lines().iter().filter_map(Line::parameter)
}

/// The parameter called `name`.
pub fn parameter(name: &str) -> Option<&'static Parameter> {
    // Rules ask for thousands of names in each directory: comparing texts would take a fifth of the time.
    static BY_NAME: LazyLock<HashMap<&str, &Line, FixedState>> =
        LazyLock::new(|| lines().iter().map(|it| (it.name, it)).collect());
    BY_NAME.get(name)?.parameter()
}

/// A line of the data file, read when somebody asks for its parameter: a run asks
/// for few, and reading them all would be most of what it costs to start.
struct Line {
    name: &'static str,
    text: &'static str,
    // Boxed, since most stay empty.
    parameter: OnceLock<Option<Box<Parameter>>>,
}

impl Line {
    fn parameter(&self) -> Option<&Parameter> {
        self.parameter.get_or_init(|| read(self.text).map(Box::new)).as_deref()
    }
}

fn lines() -> &'static [Line] {
    static LINES: LazyLock<Vec<Line>> = LazyLock::new(|| {
        let mut data = include_str!("parameters.tsv");
        let mut lines = Vec::with_capacity(1000);
        // `str::lines` and `str::split` take several times as long.
        while let Some(end) = memchr::memchr(b'\n', data.as_bytes()) {
            let (text, rest) = (&data[..end], &data[end + 1..]);
            let name = memchr::memchr(b'\t', text.as_bytes()).map_or(text, |it| &text[..it]);
            lines.push(Line { name, text, parameter: OnceLock::new() });
            data = rest;
        }
        lines
    });
    &LINES
}

/// Reads a line of the data file; a test reads them all.
fn read(line: &'static str) -> Option<Parameter> {
    let mut columns = line.split('\t');
    let mut parameter = Parameter {
        name: columns.next()?,
        kind: match columns.next()? {
            "bool" | "nbool" => Type::Bool,
            "int" | "nint" | "long" => Type::Int,
            "time" => Type::Time,
            "string" => Type::String,
            "raw" => Type::Raw,
            "enum" => Type::Enum,
            _ => return None,
        },
        about: columns.next()?,
        since: None,
        deprecated: None,
        discouraged: None,
        instead: None,
        backports: Vec::new(),
        legacy: None,
        removed: None,
        read_only: None,
        writable: None,
        defaults: Vec::new(),
        debian: Vec::new(),
    };
    for column in columns {
        let (key, value) = column.split_once('=')?;
        let version = || Version::parse(value);
        match key {
            "since" => parameter.since = Some(version()?),
            "backport" => parameter.backports.push(Patch::parse(value)?),
            "legacy" => parameter.legacy = Some(version()?),
            "removed" => parameter.removed = Some(version()?),
            "readonly" => parameter.read_only = Some(version()?),
            "writable" => parameter.writable = Some(Patch::parse(value)?),
            "deprecated" => parameter.deprecated = Some(version()?),
            "discouraged" => parameter.discouraged = Some(version()?),
            "instead" => parameter.instead = Some(value),
            "debian" => parameter.debian.push((Version::new(0, 0), value)),
            _ => match key.strip_prefix("debian") {
                Some(since) => parameter.debian.push((Version::parse(since)?, value)),
                None => parameter.defaults.push((Until::parse(key)?, value)),
            },
        }
    }
    Some(parameter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_data_is_read() {
        for line in include_str!("parameters.tsv").lines() {
            assert!(read(line).is_some(), "{line}");
        }
        assert!(parameters().is_sorted_by(|a, b| a.name < b.name), "sorted, no name twice");
        for it in parameters() {
            assert!(it.instead.is_none_or(|name| parameter(name).is_some()), "{it:?}");
            let today = it.defaults.iter().filter(|it| matches!(it.0, Until::Today)).count();
            let last = it.defaults.last();
            let known = last.is_none_or(|it| matches!(it.0, Until::Today));
            assert!(today <= 1 && (known || it.removed.is_some()), "{it:?}");
            assert!(it.debian.is_sorted_by(|a, b| a.0 < b.0), "{it:?}");
        }
    }

    #[test]
    fn defaults_depend_on_the_build() {
        let default = |name, build: &Build| {
            parameter(name).and_then(|it| it.default_in(build)).map(Cow::into_owned)
        };
        let version = |minor| Build::of_version(Version::new(3, minor));
        let digest = "smtp_tls_fingerprint_digest";
        assert_eq!(default(digest, &version(5)).as_deref(), Some("md5"));
        let newer = "${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}";
        assert_eq!(default(digest, &version(6)).as_deref(), Some(newer));
        assert_eq!(default("myhostname", &version(6)), None);
        assert_eq!(default("smtp_tls_securty_level", &version(6)), None);

        let patch = |full: &str| Build { full_version: full.to_owned(), ..version(7) };
        let action = "milter_default_action";
        assert_eq!(default(action, &version(6)).as_deref(), Some("tempfail"));
        assert_eq!(default(action, &patch("3.7.19")).as_deref(), Some("tempfail"));
        assert_eq!(default(action, &patch("3.7.20")).as_deref(), Some("shutdown"));
        assert_eq!(default(action, &version(7)).as_deref(), Some("shutdown"));
        assert_eq!(default("mail_version", &patch("3.7.19")).as_deref(), Some("3.7.19"));

        let debian = |minor| Build { debian: true, ..version(minor) };
        assert_eq!(default("default_database_type", &debian(10)).as_deref(), Some("hash"));
        assert_eq!(default("default_database_type", &debian(11)).as_deref(), Some("cdb"));
        assert_eq!(default("default_database_type", &version(11)).as_deref(), Some("hash"));
    }

    #[test]
    fn a_name_comes_and_goes() {
        let build = |minor, full: &str| Build {
            full_version: full.to_owned(),
            ..Build::of_version(Version::new(3, minor))
        };
        let of = |name| parameter(name).expect("it is a parameter");
        let backported = of("tls_config_file");
        assert!(
            !backported.exists_in(&build(7, "3.7.5")) && backported.exists_in(&build(7, "3.7.6"))
        );
        assert!(backported.exists_in(&build(8, "3.8")) && backported.exists_in(&build(9, "3.9.0")));
        let renamed = of("smtp_per_record_deadline");
        assert!(renamed.exists_in(&build(6, "3.6.1")) && !renamed.is_legacy_in(&build(6, "3.6.1")));
        assert!(!renamed.exists_in(&build(7, "3.7.0")) && renamed.is_legacy_in(&build(7, "3.7.0")));
        let removed = of("tlsproxy_client_loglevel_parameter");
        assert!(
            removed.exists_in(&build(11, "3.11.0")) && !removed.exists_in(&build(12, "3.12.0"))
        );
        let service = of("service_name");
        for (minor, full, read_only) in
            [(5, "3.5.0", true), (11, "3.11.1", true), (11, "3.11.2", false), (12, "3.12", true)]
        {
            assert_eq!(service.is_read_only_in(&build(minor, full)), read_only, "{full}");
        }
    }
    /// What a default names as a table is a table, and names in `_maps` are lists of them.
    #[test]
    fn parameters_that_hold_tables_say_so() {
        // These two hold what other parameters may name.
        let compared = ["proxy_read_maps", "proxy_write_maps"];
        for it in parameters().filter(|it| !compared.contains(&it.name)) {
            let maps = it.name.ends_with("_maps") || it.name.ends_with("_checks");
            assert!(!maps || it.tables() == Some(TableList::Tables), "{it:?}");
            for (_, default) in &it.defaults {
                let types = super::super::table_types().map(|it| format!("{}:", it.name));
                let named = types.into_iter().any(|word| default.starts_with(&word));
                assert!(!named || it.tables().is_some(), "{it:?}");
            }
        }
    }
}
