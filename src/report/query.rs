//! The answers of `postls query`.

use std::fmt::Write as _;

use super::human::printable;
use super::{Style, query_json};
use crate::finding::Finding;
use crate::policy::effective::{Chosen, EffectivePolicy};
use crate::policy::outcome::{Delivery, Server};
use crate::postfix::Version;
use crate::text::{Sources, Span};

/// All answers.
pub struct Query<'a> {
    /// The bytes of all files.
    pub sources: &'a Sources,
    /// The service that was asked for.
    pub service: &'a str,
    /// The answers, in the order of the questions.
    pub answered: &'a [Answered],
    /// The Postfix that the files were judged for.
    pub postfix: Version,
    /// Why that one.
    pub postfix_why: &'a str,
}

/// The answer for one destination.
pub struct Answered {
    /// The destination.
    pub destination: String,
    /// The lookups in order.
    pub lookups: Vec<Lookup>,
    /// The row that counts; `None`: main.cf's values hold.
    pub matched: Option<Matched>,
    /// What holds.
    pub policy: EffectivePolicy,
    /// Who chose each value, by the names of the fields of `policy`.
    pub from: Vec<(&'static str, Place)>,
    /// Why only a running Postfix knows; the policy is then what holds if it has nothing.
    pub undecided: Option<String>,
    /// What lint says of the row and of what it inherits.
    pub problems: Vec<Finding>,
}

/// One lookup.
pub struct Lookup {
    /// The table, `type:name`.
    pub table: String,
    /// The key.
    pub key: String,
    /// What it came to.
    pub found: Found,
}

/// What a lookup came to.
pub enum Found {
    /// No row.
    Nothing,
    /// This policy.
    Row(String),
    /// The lookup fails: why.
    Error(String),
    /// Only a running Postfix knows: why.
    AtRunTime(String),
}

/// The row that counts.
pub struct Matched {
    /// The table, `type:name`.
    pub table: String,
    /// The key that found it.
    pub key: String,
    /// Where it stands.
    pub span: Option<Span>,
}

/// Where a value comes from.
pub enum Place {
    /// A place in a file, and the parameter that it sets, if it does.
    At {
        /// The parameter.
        parameter: Option<String>,
        /// The place.
        span: Span,
    },
    /// Postfix's default.
    Default {
        /// The parameter.
        parameter: String,
        /// The version from which on it is so.
        since: Option<Version>,
    },
    /// Nothing that has a place.
    Nowhere,
}

const SERVERS: [(Server, &str); 4] = [
    (Server::WithoutStarttls, "offers no STARTTLS"),
    (Server::Untrusted, "has a certificate that nobody trusted has signed"),
    (Server::OtherName, "has a certificate with other names"),
    (Server::OtherKey, "has another certificate and key"),
];

/// For programs. The form is a promise: fields are added, never changed.
pub fn json(query: &Query<'_>) -> String {
    query_json::query(query)
}

pub(super) fn reason(answered: &Answered) -> String {
    match &answered.undecided {
        None => answered.policy.reason.clone(),
        Some(why) => format!("{why}; if it has nothing: {}", answered.policy.reason),
    }
}

/// For people.
pub fn human(query: &Query<'_>, style: Style) -> String {
    let mut out = String::new();
    for (index, answered) in query.answered.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        one(&mut out, query.sources, answered);
    }
    if !style.quiet {
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "\n(service {}, Postfix {}: {})",
            printable(query.service),
            query.postfix,
            query.postfix_why
        );
    }
    out
}

fn one(out: &mut String, sources: &Sources, answered: &Answered) {
    let policy = &answered.policy;
    let outcome =
        if answered.undecided.is_some() { "decided at run time" } else { policy.outcome.name() };
    let _ = writeln!(out, "{}: {outcome}", printable(&answered.destination));
    let _ = writeln!(out, "  {}", printable(&reason(answered)));
    let _ = writeln!(out, "\n  looked up");
    if answered.lookups.is_empty() {
        let _ = writeln!(out, "    nothing: there is no TLS policy table");
    }
    for lookup in &answered.lookups {
        let found = match &lookup.found {
            Found::Nothing => "nothing".to_owned(),
            Found::Row(row) => row.clone(),
            Found::Error(why) => why.clone(),
            Found::AtRunTime(_) => "only a running Postfix knows".to_owned(),
        };
        let line = format!("{} in {}: {found}", lookup.key, lookup.table);
        let _ = writeln!(out, "    {}", printable(&line));
    }
    let _ = writeln!(out, "\n  policy");
    for (field, value) in values(policy) {
        let from = answered.from.iter().find(|it| it.0 == field);
        let from = from.map(|it| shown_place(sources, &it.1)).unwrap_or_default();
        let value = if value.is_empty() { "-".to_owned() } else { printable(&value) };
        let line = format!("    {:<16} {value:<30} {}", field.replace('_', " "), printable(&from));
        let _ = writeln!(out, "{}", line.trim_end());
    }
    if !answered.problems.is_empty() {
        let _ = writeln!(out, "\n  problems");
    }
    for problem in &answered.problems {
        let source = sources.of(problem.primary.span);
        let (line, column) = source.line_column(problem.primary.span.start);
        let place = format!("{}:{}:{column}", source.name(), line.number());
        let text = format!(
            "{place}: {}: {}: {} [{}]",
            problem.severity.name(),
            problem.summary,
            problem.primary.text,
            problem.rule
        );
        let _ = writeln!(out, "    {}", printable(&text));
    }
    let _ = writeln!(out, "\n  if the server");
    for (server, what) in SERVERS {
        let then = match policy.delivery(server) {
            Delivery::Encrypted => "the mail goes out over TLS",
            Delivery::Clear => "the mail goes out in the clear",
            Delivery::Deferred => "the mail waits",
            Delivery::AsTlsaSays => "its TLSA records decide",
        };
        let _ = writeln!(out, "    {what:<50} {then}");
    }
}

/// The values that have a part in the policy, with the names of their fields.
pub(super) fn values(policy: &EffectivePolicy) -> Vec<(&'static str, String)> {
    let yes_no = |it: bool| if it { "yes" } else { "no" }.to_owned();
    let list = |it: &Option<Chosen<Vec<String>>>| it.as_ref().map(|it| it.value.join(", "));
    let text = |it: &Option<Chosen<String>>| it.as_ref().map(|it| it.value.clone());
    let level = policy.level.as_ref();
    let tls = policy.protocols.is_some();
    let all = [
        ("level", level.map(|it| it.value.to_string())),
        ("match", list(&policy.names)),
        ("fingerprints", list(&policy.fingerprints)),
        ("digest", policy.fingerprints.as_ref().map(|_| policy.digest.value.clone())),
        ("protocols", text(&policy.protocols)),
        ("ciphers", text(&policy.ciphers)),
        ("exclude", text(&policy.exclude)),
        ("servername", text(&policy.servername)),
        (
            "trust",
            policy.names.as_ref().map(|_| {
                policy.trust.iter().map(|it| it.value.as_str()).collect::<Vec<_>>().join(", ")
            }),
        ),
        ("connection_reuse", tls.then(|| yes_no(policy.connection_reuse.value))),
        ("enable_rpk", tls.then(|| yes_no(policy.enable_rpk.value))),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

pub(super) fn shown_place(sources: &Sources, place: &Place) -> String {
    match place {
        Place::At { parameter, span } => {
            let source = sources.of(*span);
            let (line, _) = source.line_column(span.start);
            let at = format!("{}:{}", source.name(), line.number());
            parameter.as_ref().map_or(at.clone(), |name| format!("{at} {name}"))
        }
        Place::Default { parameter, since: Some(since) } => {
            format!("default of {parameter} since {since}")
        }
        Place::Default { parameter, since: None } => format!("default of {parameter}"),
        Place::Nowhere => String::new(),
    }
}
