//! TLS policies: what the administrator wants for each next-hop destination.
//!
//! `yaml` reads the policy file, and `compile` writes what it says as the text of a TLS policy
//! table. `row` is the grammar of such a table's right-hand side, `client` what main.cf says where
//! a row is silent, `problems` what smtp(8) finds wrong with a row (`attribute`, `matching`: with its parts; `what`: as
//! data), `effective` what it does then, `session` what TLS is begun with at one host, and `outcome` what that means for mail. `pin` is
//! what a destination's server is known by, and `rotation` what has to be done about pins when.
//! `import` makes a policy file of a table and a main.cf; `same` says whether two rows are one policy.

mod attribute;
pub mod client;
pub mod compile;
pub mod date;
pub mod effective;
pub mod import;
pub mod matching;
pub mod nexthop;
pub mod outcome;
pub mod pin;
pub mod problems;
pub mod rotation;
pub mod row;
mod same;
pub mod session;
pub mod what;
pub mod yaml;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use foldhash::fast::RandomState;

pub use client::Client;
pub use date::Date;
pub use nexthop::Nexthop;
pub use pin::Pin;
pub use same::same;

use crate::finding::Severity;
use crate::postfix::{SecurityLevel, Version};
use crate::text::{Span, nearest, shortened};

/// A value and the place in the policy file that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed<T> {
    /// What is said.
    pub value: T,
    /// Where.
    pub span: Span,
}

/// All policy files together.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    /// The oldest Postfix that must accept the result.
    pub postfix: Option<Placed<Version>>,
    /// The main.cf parameters that the file owns.
    pub parameters: Vec<Parameter>,
    /// Where the table goes.
    pub table: Table,
    /// What applies to whom, in the order of the files.
    pub destinations: Vec<Destination>,
    /// The profiles that no destination uses.
    pub unused_profiles: Vec<Placed<String>>,
    /// What lint is told.
    pub lint: Lint,
}

impl Policies {
    /// The value that the policy file gives to a parameter of main.cf.
    pub fn value_of(&self, parameter: &str) -> Option<&Placed<String>> {
        let owned = self.parameters.iter().find(|it| it.name.value == parameter);
        owned?.value.as_ref()
    }
}

/// `lint:` of the policy file. The names of rules are as they stand there: nobody here knows which exist.
#[derive(Clone, Debug, Default)]
pub struct Lint {
    /// The rules whose findings are allowed, in the whole directory.
    pub allow: Vec<AllowedRule>,
    /// The rules whose findings have another severity here.
    pub severity: Vec<(Placed<String>, Severity)>,
    /// So many days before its end a certificate is reported; `None`: where nobody says how many.
    pub expires_within: Option<u16>,
    /// The names in the MX records that lead to this server.
    pub mx: Vec<Placed<String>>,
}

/// A rule whose findings are allowed.
#[derive(Clone, Debug)]
pub struct AllowedRule {
    /// Its name.
    pub rule: Placed<String>,
    /// The last day on which they are.
    pub until: Option<Date>,
}

/// A main.cf parameter that the policy file owns.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// The name.
    pub name: Placed<String>,
    /// The value; `None`: it must not be set.
    pub value: Option<Placed<String>>,
}

/// The table that postls writes.
#[derive(Clone, Debug)]
pub struct Table {
    /// Relative to the configuration directory.
    pub path: String,
    /// The lookup table type; `None`: Postfix's default_database_type.
    pub kind: Option<String>,
    /// The parameter that lists it.
    pub parameter: String,
    /// The place of the settings, where there are any.
    pub span: Option<Span>,
}

impl Default for Table {
    fn default() -> Table {
        Table {
            path: "tls_policy".to_owned(),
            kind: None,
            parameter: "smtp_tls_policy_maps".to_owned(),
            span: None,
        }
    }
}

impl Table {
    /// The client that asks the table: `smtp` or `lmtp`, the prefix of its parameters.
    pub fn client(&self) -> &'static str {
        if self.parameter.starts_with("lmtp") { "lmtp" } else { "smtp" }
    }
}

/// One destination with everything that its profile gave it.
#[derive(Clone, Debug)]
pub struct Destination {
    /// The key in the table.
    pub nexthop: Placed<Nexthop>,
    /// What smtp(8) is told.
    pub policy: Policy,
    /// Compiled to a comment: not in force.
    pub testing: bool,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Why it is so.
    pub reason: Option<String>,
    /// The day on which an exception ends.
    pub expires: Option<Placed<Date>>,
}

/// A level and attributes. Lists are shared between the destinations of a profile.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// The level; always there in a [`Destination`].
    pub level: Option<Placed<SecurityLevel>>,
    /// Names for `match=` at verify and secure.
    pub names: Option<Rc<[Placed<String>]>>,
    /// Certificates and keys whose fingerprints go into `match=` at level fingerprint.
    pub pins: Option<Rc<[Pin]>>,
    /// `protocols=`, its words separated by `:`.
    pub protocols: Option<Placed<String>>,
    /// `ciphers=`
    pub ciphers: Option<Placed<String>>,
    /// `exclude=`, its words separated by `:`.
    pub exclude: Option<Placed<String>>,
    /// `servername=`
    pub servername: Option<Placed<String>>,
    /// `tafile=`, one attribute each.
    pub tafiles: Option<Rc<[Placed<String>]>>,
    /// `connection_reuse=`
    pub connection_reuse: Option<Placed<bool>>,
    /// `enable_rpk=`
    pub enable_rpk: Option<Placed<bool>>,
}

impl Policy {
    /// Where each of its settings comes from; equal for those that say the same in the same places.
    pub fn origins(&self) -> [Option<Span>; 10] {
        let texts = [&self.protocols, &self.ciphers, &self.exclude, &self.servername];
        let [protocols, ciphers, exclude, servername] =
            texts.map(|it| it.as_ref().map(|it| it.span));
        let first = |list: &Option<Rc<[Placed<String>]>>| list.as_ref()?.first().map(|it| it.span);
        [
            self.level.map(|it| it.span),
            first(&self.names),
            self.pins.as_ref().and_then(|it| it.first()).map(|it| it.span),
            protocols,
            ciphers,
            exclude,
            servername,
            first(&self.tafiles),
            self.connection_reuse.map(|it| it.span),
            self.enable_rpk.map(|it| it.span),
        ]
    }

    /// This policy, with what it leaves open taken from `profile`.
    fn or(self, profile: &Policy) -> Policy {
        Policy {
            level: self.level.or(profile.level),
            names: self.names.or_else(|| profile.names.clone()),
            pins: self.pins.or_else(|| profile.pins.clone()),
            protocols: self.protocols.or_else(|| profile.protocols.clone()),
            ciphers: self.ciphers.or_else(|| profile.ciphers.clone()),
            exclude: self.exclude.or_else(|| profile.exclude.clone()),
            servername: self.servername.or_else(|| profile.servername.clone()),
            tafiles: self.tafiles.or_else(|| profile.tafiles.clone()),
            connection_reuse: self.connection_reuse.or(profile.connection_reuse),
            enable_rpk: self.enable_rpk.or(profile.enable_rpk),
        }
    }
}

/// A mistake in a policy file.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Which rule it belongs to.
    pub kind: ProblemKind,
    /// Where.
    pub span: Span,
    /// What is so there.
    pub text: String,
    /// Another place that belongs to it, and what is there.
    pub related: Option<(Span, String)>,
    /// What to do about it.
    pub help: Option<String>,
}

/// The kinds of mistakes; each is a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// Not YAML, or not the part of it that policy files are written in.
    Syntax,
    /// No `version: 1`.
    Version,
    /// A key that does not exist.
    UnknownKey,
    /// The same key, or the same destination, twice.
    DuplicateKey,
    /// A list where text must stand, and the like.
    WrongType,
    /// A value that cannot be written into Postfix's files, or that is not one of those allowed.
    Value,
    /// A level that Postfix does not know.
    Level,
    /// A destination without a level, or with a profile that is not there.
    Incomplete,
    /// A key that is no next-hop destination.
    Nexthop,
    /// A pin that is no fingerprint of any digest.
    Pin,
    /// A file of a pin that has nothing which could be pinned.
    PinFile,
    /// A fingerprint beside a file that is not the file's.
    PinFileDiffers,
}

/// Joins the main policy file with those that it includes: profiles are
/// filled in, and a destination that stands in two files is a problem.
pub fn join(files: Vec<yaml::File>) -> (Policies, Vec<Problem>) {
    let mut policies = Policies::default();
    let mut problems = Vec::new();
    let mut profiles: HashMap<String, (Span, Policy), RandomState> = HashMap::default();
    let mut entries = Vec::new();
    for (index, file) in files.into_iter().enumerate() {
        if index == 0 {
            policies.postfix = file.postfix;
            policies.parameters = file.parameters;
            policies.table = file.table;
            policies.lint = file.lint;
        }
        problems.extend(file.problems);
        for (name, policy) in file.profiles {
            if let Some((first, _)) = profiles.get(&name.value) {
                let text = format!("profile \"{}\" again", name.value);
                problems.push(again(name.span, text, *first));
            } else {
                profiles.insert(name.value, (name.span, policy));
            }
        }
        if entries.is_empty() {
            entries = file.entries;
        } else {
            entries.extend(file.entries);
        }
    }
    let used = entries.iter().filter_map(|it| it.settings.profile.as_ref());
    let used: HashSet<&str> = used.map(|it| it.value.as_str()).collect();
    let unused = profiles.iter().filter(|(name, _)| !used.contains(name.as_str()));
    policies.unused_profiles =
        unused.map(|(name, (span, _))| Placed { value: name.clone(), span: *span }).collect();
    policies.unused_profiles.sort_by_key(|it| it.span);
    let mut firsts = firsts(&entries).into_iter();
    // A million entries are large: each becomes a destination where it lies.
    let destinations = entries.into_iter().filter_map(|entry| {
        if let Some(first) = firsts.next().flatten() {
            let nexthop = entry.nexthop;
            problems.push(again(nexthop.span, format!("{} again", nexthop.value), first));
            return None;
        }
        complete(entry, &profiles, &mut problems)
    });
    policies.destinations = destinations.collect();
    (policies, problems)
}

/// For each entry the place of the first one with the same key, if that is another one.
fn firsts(entries: &[yaml::Entry]) -> Vec<Option<Span>> {
    let mut seen: HashMap<&Nexthop, Span, RandomState> = HashMap::default();
    seen.reserve(entries.len());
    entries
        .iter()
        .map(|it| match seen.entry(&it.nexthop.value) {
            Entry::Occupied(first) => Some(*first.get()),
            Entry::Vacant(place) => {
                place.insert(it.nexthop.span);
                None
            }
        })
        .collect()
}

/// A destination with its profile filled in, if that leaves it with a level.
fn complete(
    entry: yaml::Entry,
    profiles: &HashMap<String, (Span, Policy), RandomState>,
    problems: &mut Vec<Problem>,
) -> Option<Destination> {
    let yaml::Entry { nexthop, settings } = entry;
    let problems_so_far = problems.len();
    let mut incomplete = |span, text: String, help| {
        problems.push(Problem { kind: ProblemKind::Incomplete, span, text, related: None, help });
    };
    let mut policy = settings.policy;
    if let Some(name) = settings.profile {
        match profiles.get(&name.value) {
            Some((_, profile)) => policy = policy.or(profile),
            None => {
                // Who has that many mistakes has made one of another kind.
                let names = profiles.keys().map(String::as_str);
                let names = names.take(if problems_so_far < 20 { usize::MAX } else { 0 });
                let help = nearest(&name.value, names);
                let help = help.map(|it| format!("did you mean \"{it}\"?"));
                incomplete(
                    name.span,
                    format!("there is no profile \"{}\"", shortened(&name.value)),
                    help,
                );
                return None;
            }
        }
    }
    if policy.level.is_none() {
        if !settings.level_refused {
            let text = format!("{} has no level", nexthop.value);
            incomplete(nexthop.span, text, Some("say level: or use: a profile".to_owned()));
        }
        return None;
    }
    Some(Destination {
        nexthop,
        policy,
        testing: settings.testing,
        owner: settings.owner,
        reason: settings.reason,
        expires: settings.expires,
    })
}

fn again(span: Span, text: String, first: Span) -> Problem {
    Problem {
        kind: ProblemKind::DuplicateKey,
        span,
        text,
        related: Some((first, "the first one".to_owned())),
        help: None,
    }
}
