//! Parameters whose names begin with a word of the administrator's.
//!
//! `families.tsv` has a line for each name, or end of a name, separated by tabs: the
//! family; the name; `since=`, a version, where Postfix 3.5 did not have it; `=` and
//! the default, where there is one.
//!
//! Known limit: what only older Postfix had is not there.

use std::sync::LazyLock;

use super::{Version, parameter};

/// The parameters that a service of master.cf brings, and their defaults: `NAME_time_limit`
/// and the like (`postconf/postconf_service.c`), but for those that are [`parameter`]s.
///
/// The program is the command as written: an absolute name brings nothing.
pub fn service_parameters<'s>(
    service: &'s str,
    program: &str,
) -> impl Iterator<Item = (String, &'static str)> + use<'s> {
    let families: &[&str] = match program {
        "local" | "error" | "virtual" | "smtp" | "lmtp" => &["transport"],
        "pipe" => &["transport", "command"],
        "spawn" => &["command"],
        _ => &[],
    };
    families
        .iter()
        .flat_map(|family| members(family))
        .map(move |it| (format!("{service}{}", it.name), it.default))
        .filter(|(name, _)| parameter(name).is_none())
}

/// Whether some service could bring a parameter of this name.
pub fn may_be_of_service(name: &str) -> bool {
    ["transport", "command"]
        .iter()
        .flat_map(|family| members(family))
        .any(|it| name.strip_suffix(it.name).is_some_and(|service| !service.is_empty()))
}

/// The service and the rest of the name, with its default, that [`may_be_of_service`] finds: `relay`
/// and `_time_limit`.
pub fn of_service(name: &str) -> Option<(&str, &'static str, &'static str)> {
    ["transport", "command"].iter().flat_map(|family| members(family)).find_map(|it| {
        let service = name.strip_suffix(it.name).filter(|it| !it.is_empty())?;
        Some((service, it.name, it.default))
    })
}

/// What a dictionary client looks up: `hosts` for `mysql:NAME` is NAME_hosts in main.cf, or
/// hosts in the file that NAME is (`postconf/postconf_dbms.c`). Nothing for other types.
///
/// That postconf knows a type does not mean that this Postfix has its client.
pub fn client_suffixes(table_type: &str, version: Version) -> impl Iterator<Item = &'static str> {
    let family = CLIENTS.iter().find(|it| **it == table_type);
    let known = move |it: &&Member| it.since.is_none_or(|since| since <= version);
    family.into_iter().flat_map(|it| members(it)).filter(known).map(|it| it.name)
}

/// Whether postconf looks behind `TYPE:` for another table, as in `proxy:mysql:NAME`.
pub fn is_adapter(table_type: &str, version: Version) -> bool {
    members("adapter")
        .any(|it| it.name == table_type && it.since.is_none_or(|since| since <= version))
}

const CLIENTS: [&str; 6] = ["ldap", "memcache", "mongodb", "mysql", "pgsql", "sqlite"];

struct Member {
    name: &'static str,
    since: Option<Version>,
    default: &'static str,
}

/// Read once: each word with a colon is asked about.
fn members(family: &'static str) -> impl Iterator<Item = &'static Member> {
    static ALL: LazyLock<Vec<(&str, Member)>> =
        LazyLock::new(|| include_str!("families.tsv").lines().filter_map(read).collect());
    ALL.iter().filter(move |(of, _)| *of == family).map(|(_, member)| member)
}

fn read(line: &'static str) -> Option<(&'static str, Member)> {
    let mut columns = line.split('\t');
    let family = columns.next()?;
    let mut member = Member { name: columns.next()?, since: None, default: "" };
    for column in columns {
        match column.split_once('=')? {
            ("since", version) => member.since = Some(Version::parse(version)?),
            ("", default) => member.default = default,
            _ => return None,
        }
    }
    Some((family, member))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_data_is_read() {
        let families = ["adapter", "transport", "command"];
        for line in include_str!("families.tsv").lines() {
            let (family, _) = read(line).expect(line);
            assert!(families.contains(&family) || CLIENTS.contains(&family), "{line}");
        }
    }

    #[test]
    fn a_service_brings_parameters_by_its_program() {
        let names =
            |service, program| service_parameters(service, program).map(|it| it.0).collect();
        let spawn: Vec<String> = names("policy", "spawn");
        assert_eq!(spawn, ["policy_time_limit"]);
        let pipe: Vec<String> = names("dovecot", "pipe");
        assert!(pipe.contains(&"dovecot_time_limit".to_owned()) && pipe.len() == 17);
        let smtp: Vec<String> = names("out", "smtp");
        assert!(!smtp.contains(&"out_time_limit".to_owned()) && smtp.len() == 16);
        // This one has a default of its own.
        let local: Vec<String> = names("local", "local");
        assert!(!local.contains(&"local_destination_concurrency_limit".to_owned()));
        assert_eq!(names("x", "/usr/lib/postfix/sbin/smtp"), [] as [String; 0]);
        assert_eq!(names("x", "discard"), [] as [String; 0]);
    }

    #[test]
    fn clients_learn() {
        let has =
            |kind, name, minor| client_suffixes(kind, Version::new(3, minor)).any(|it| it == name);
        assert!(has("ldap", "search_base", 5) && !has("hash", "search_base", 12));
        assert!(!has("mysql", "charset", 8) && has("mysql", "charset", 9));
        assert!(!has("mongodb", "uri", 8) && has("mongodb", "uri", 9));
        assert!(!has("transport", "_recipient_limit", 12), "no table is of that type");
        assert!(is_adapter("proxy", Version::OLDEST) && !is_adapter("debug", Version::OLDEST));
        assert!(is_adapter("debug", Version::NEWEST) && !is_adapter("mysql", Version::NEWEST));
    }
}
