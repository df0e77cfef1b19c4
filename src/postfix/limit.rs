//! Which programs read a parameter, and between which limits its value must be.
//!
//! `limits.tsv` has a line for each parameter whose value Postfix checks when a program
//! starts (`global/mail_conf_*.c` and the tables of each program), separated by tabs:
//!
//! | column | |
//! | --- | --- |
//! | name | as in main.cf |
//! | readers | programs; `*`: all; `tls`: those that speak TLS, once it is on |
//! | least | the smallest number, time in seconds, or length of a text; empty: none |
//! | most | the largest one; empty: none |
//!
//! It is the same in Postfix 3.5 to 3.12. Known limit: what is different between these
//! is not there.

use std::sync::LazyLock;

/// What is checked when a program reads a parameter.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// The parameter.
    pub name: &'static str,
    /// Who reads it.
    pub readers: Readers,
    /// The smallest number, time in seconds, or length of a text.
    pub least: Option<i64>,
    /// The largest one.
    pub most: Option<i64>,
}

/// Who reads a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Every program.
    All,
    /// Every program that speaks TLS, when it does.
    Tls,
    /// These, separated by commas.
    Programs(&'static str),
}

impl Readers {
    /// The programs that are named.
    pub fn programs(self) -> impl Iterator<Item = &'static str> {
        let named = match self {
            Readers::All | Readers::Tls => "",
            Readers::Programs(programs) => programs,
        };
        named.split(',').filter(|it| !it.is_empty())
    }

    /// The readers in a sentence: `smtpd(8) and tlsproxy(8)`.
    pub fn shown(self) -> String {
        let all: Vec<String> = self.programs().filter(|it| *it != "oqmgr").map(section).collect();
        match (self, all.as_slice()) {
            (Readers::All, _) => "every program".to_owned(),
            (Readers::Tls, _) => "every program that speaks TLS".to_owned(),
            (Readers::Programs(_), [rest @ .., last]) if !rest.is_empty() => {
                format!("{} and {last}", rest.join(", "))
            }
            (Readers::Programs(_), all) => all.concat(),
        }
    }
}

/// A program as manual pages name it.
fn section(program: &str) -> String {
    let command = is_command(program) && program != "master";
    format!("{program}({})", if command { 1 } else { 8 })
}

/// Programs that no service of master.cf runs.
const COMMANDS: [&str; 7] =
    ["master", "postdrop", "postfix", "postlog", "postmulti", "postqueue", "sendmail"];

/// Whether a program runs without a service of master.cf.
pub fn is_command(program: &str) -> bool {
    COMMANDS.contains(&program)
}

/// What is checked when a program reads this parameter.
pub fn limit(name: &str) -> Option<&'static Limit> {
    let index = limits().binary_search_by(|it| it.name.cmp(name)).ok()?;
    limits().get(index)
}

fn limits() -> &'static [Limit] {
    static LIMITS: LazyLock<Vec<Limit>> =
        LazyLock::new(|| include_str!("limits.tsv").lines().filter_map(read).collect());
    &LIMITS
}

/// Reads a line of the data file; a test reads them all.
fn read(line: &'static str) -> Option<Limit> {
    let mut columns = line.split('\t');
    let (name, readers) = (columns.next()?, columns.next()?);
    let mut number = || match columns.next() {
        None | Some("") => Some(None),
        Some(text) => text.parse().ok().map(Some),
    };
    let readers = match readers {
        "*" => Readers::All,
        "tls" => Readers::Tls,
        programs => Readers::Programs(programs),
    };
    Some(Limit { name, readers, least: number()?, most: number()? })
}

#[cfg(test)]
mod tests {
    use super::super::{Type, parameter};
    use super::*;

    #[test]
    fn every_line_of_the_data_is_read_and_is_of_a_parameter() {
        assert_eq!(limits().len(), include_str!("limits.tsv").lines().count());
        assert!(limits().is_sorted_by(|a, b| a.name < b.name), "sorted, no name twice");
        for it in limits() {
            let parameter = parameter(it.name).expect(it.name);
            match parameter.kind {
                Type::Bool => assert_eq!((it.least, it.most), (None, None), "{it:?}"),
                Type::Int | Type::Time => assert!(it.least.is_none_or(|it| it > 0), "{it:?}"),
                Type::String | Type::Raw | Type::Enum => {
                    assert!(it.least.is_none_or(|it| it > 0) && it.most.is_none(), "{it:?}");
                }
            }
        }
    }

    #[test]
    fn readers_are_named() {
        let shown = |name| limit(name).map(|it| it.readers.shown());
        assert_eq!(shown("smtpd_timeout").as_deref(), Some("smtpd(8)"));
        assert_eq!(shown("myhostname").as_deref(), Some("every program"));
        assert_eq!(shown("default_recipient_limit").as_deref(), Some("qmgr(8)"));
        assert_eq!(shown("qmqpd_timeout").as_deref(), Some("qmqpd(8)"));
        assert_eq!(shown("no_such"), None);
    }
}
