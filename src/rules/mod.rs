//! All rules. A rule is a file here and a word in its folder's list.

use crate::lint::Rule;

/// Declares the rules of a folder: each name is a file with a `RULE`.
macro_rules! rules {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*
        pub(super) static RULES: &[&crate::lint::Rule] = &[$(&$name::RULE),*];
    };
}

mod allow;
mod certificate;
mod host;
mod master;
mod parameter;
mod policy;
mod policy_file;
mod route;
mod syntax;
mod table;
mod tls_client;
mod tls_server;

/// The topics and their rules.
static TOPICS: &[(&str, &[&Rule])] = &[
    ("syntax", syntax::RULES),
    ("parameter", parameter::RULES),
    ("master", master::RULES),
    ("tls-client", tls_client::RULES),
    ("tls-server", tls_server::RULES),
    ("certificate", certificate::RULES),
    ("table", table::RULES),
    ("policy", policy::RULES),
    ("route", route::RULES),
    ("policy-file", policy_file::RULES),
    ("host", host::RULES),
    ("allow", allow::RULES),
];

/// Every rule, grouped by topic and sorted by id within a topic.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    topics().flat_map(|(_, rules)| rules.iter().copied())
}

/// Each topic with its rules.
pub fn topics() -> impl Iterator<Item = (&'static str, &'static [&'static Rule])> {
    TOPICS.iter().copied()
}

/// The rules of a topic; none: there is no such topic.
pub fn of_topic(name: &str) -> &'static [&'static Rule] {
    topics().find(|(topic, _)| *topic == name).map(|it| it.1).unwrap_or_default()
}

/// The rule with this id.
pub fn find(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id == id)
}
