//! The parameters of main.cf: one line of data for each.
//!
//! `parameters.tsv` holds, separated by tabs: the name; the syntax that
//! Postfix checks when a program reads the value; what the value is about; then
//! `since=`, `deprecated=`, `removed=` (versions) and `instead=` (a name);
//! then defaults. `=TEXT` is the default of the newest version, `3.5=TEXT` the
//! one up to 3.5 where it was another. A parameter without any default has one
//! that depends on the host, such as myhostname.

use std::sync::{LazyLock, OnceLock};

use super::Version;

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
    /// The version since which Postfix calls it deprecated.
    pub deprecated: Option<Version>,
    /// What to set in its place.
    pub instead: Option<&'static str>,
    /// Defaults as `postconf -d` prints them, each with the last version that
    /// has it; oldest first.
    defaults: Vec<(Version, &'static str)>,
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

impl Parameter {
    /// The default in `version`, as `postconf -d` prints it; `None` where it depends on the host.
    pub fn default(&self, version: Version) -> Option<&'static str> {
        self.defaults.iter().find(|(until, _)| version <= *until).map(|(_, text)| *text)
    }

    /// Whether Postfix `version` knows the name.
    pub fn exists_in(&self, version: Version) -> bool {
        self.since.is_none_or(|since| since <= version)
    }
}

/// All parameters, sorted by name.
pub fn parameters() -> impl Iterator<Item = &'static Parameter> {
    lines().iter().map(Line::parameter)
}

/// The parameter called `name`.
pub fn parameter(name: &str) -> Option<&'static Parameter> {
    let index = lines().binary_search_by(|it| it.name.cmp(name)).ok()?;
    Some(lines()[index].parameter())
}

/// A line of the data file, read when somebody asks for its parameter: a run asks
/// for few, and reading them all would be most of what it costs to start.
struct Line {
    name: &'static str,
    text: &'static str,
    // Boxed, since most stay empty.
    parameter: OnceLock<Box<Parameter>>,
}

impl Line {
    fn parameter(&self) -> &Parameter {
        self.parameter.get_or_init(|| Box::new(read(self.text)))
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

/// Reads a line of the data file; the tests below read them all.
fn read(line: &'static str) -> Parameter {
    let mut columns = line.split('\t');
    let mut next = || columns.next().unwrap_or_default();
    let (name, kind, about) = (next(), next(), next());
    let mut parameter = Parameter {
        name,
        kind: match kind {
            "bool" | "nbool" => Type::Bool,
            "int" | "nint" | "long" => Type::Int,
            "time" => Type::Time,
            "raw" => Type::Raw,
            "enum" => Type::Enum,
            _ => Type::String,
        },
        about,
        since: None,
        deprecated: None,
        instead: None,
        defaults: Vec::new(),
    };
    for column in columns {
        let Some((key, value)) = column.split_once('=') else { continue };
        match key {
            "since" => parameter.since = Version::parse(value),
            "deprecated" => parameter.deprecated = Version::parse(value),
            "removed" => {}
            "instead" => parameter.instead = Some(value),
            "" => parameter.defaults.push((Version::new(u16::MAX, 0), value)),
            until => parameter.defaults.extend(Version::parse(until).map(|it| (it, value))),
        }
    }
    parameter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_data_is_read() {
        let data = include_str!("parameters.tsv");
        assert!(parameters().is_sorted_by(|a, b| a.name < b.name), "sorted, no name twice");
        assert_eq!(parameters().count(), data.lines().count());
        for (line, parameter) in data.lines().zip(parameters()) {
            let columns: Vec<&str> = line.split('\t').collect();
            assert!(
                columns.len() >= 3 && columns.iter().skip(3).all(|it| it.contains('=')),
                "{line}"
            );
            assert!(
                ["bool", "nbool", "int", "nint", "long", "time", "string", "raw", "enum"]
                    .contains(&columns[1]),
                "{line}"
            );
            let versions = columns.iter().skip(3).filter_map(|it| it.split_once('='));
            for (key, value) in versions {
                match key {
                    "since" | "deprecated" | "removed" => {
                        assert!(Version::parse(value).is_some(), "{line}");
                    }
                    "instead" => assert!(super::parameter(value).is_some(), "{line}"),
                    "" => {}
                    until => assert!(Version::parse(until).is_some(), "{line}"),
                }
            }
            assert!(parameter.defaults.is_sorted_by(|a, b| a.0 < b.0), "{line}");
        }
    }

    #[test]
    fn defaults_depend_on_the_version() {
        let digest = parameter("smtp_tls_fingerprint_digest").expect("it is a parameter");
        assert_eq!(digest.default(Version::new(3, 5)), Some("md5"));
        let newer = "${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}";
        assert_eq!(digest.default(Version::new(3, 6)), Some(newer));
        assert_eq!(parameter("myhostname").and_then(|it| it.default(Version::NEWEST)), None);
        assert!(parameter("smtp_tls_securty_level").is_none());
    }
}
