//! The answers of `postls query` for programs. The form is a promise: fields are added, never
//! changed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::json::{self, Severity};
use super::query::{self, Answered, Found};
use crate::policy::effective::Chosen;
use crate::policy::outcome::{self, Server};
use crate::postfix::SecurityLevel;
use crate::text::{Sources, Span};

/// What `postls query --format json` prints: the TLS policies that apply to next-hop destinations.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "postls query")]
pub(super) struct Query<'a> {
    /// The name of this form. Fields may be added to it; none is changed or taken away.
    #[schemars(extend("const" = "postls/query/v1"))]
    schema: &'static str,
    /// The version of Postfix that the files were judged for, such as 3.7.
    postfix: String,
    /// Why that version: "the one installed here", "--postfix", "the policy file", …
    postfix_why: &'a str,
    /// The service in master.cf whose mail it is about.
    service: &'a str,
    /// The answers, in the order of the questions.
    results: Vec<Answer<'a>>,
}

/// The answer for one destination.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "result")]
pub(super) struct Answer<'a> {
    /// The next-hop destination that was asked for.
    destination: &'a str,
    /// What becomes of mail for it.
    outcome: Outcome,
    /// What becomes of mail if the tables that only a running Postfix can ask have nothing; null
    /// where all could be asked.
    otherwise: Option<Outcome>,
    /// Why, in a sentence.
    reason: String,
    /// The row that counts; null where no row matched and main.cf's values hold.
    matched: Option<Matched<'a>>,
    /// The security level in force; null where it is none that Postfix has.
    level: Option<Level>,
    /// What the server's certificate is to match: names, domains, nexthop, dot-nexthop, hostname.
    r#match: &'a [String],
    /// The protocols, as Postfix takes them; empty where there is no TLS.
    protocols: &'a str,
    /// The cipher grade; empty where there is no TLS.
    ciphers: &'a str,
    /// The excluded ciphers; empty where there are none.
    exclude: &'a str,
    /// The name for Server Name Indication; empty where none is sent.
    servername: &'a str,
    /// The fingerprints that a server may have.
    fingerprints: &'a [String],
    /// The digest that fingerprints are made with.
    digest: &'a str,
    /// The files and directories with certificates of authorities that are trusted.
    trust: Vec<&'a str>,
    /// Whether TLS connections are used again.
    connection_reuse: bool,
    /// Whether a server may show a raw public key instead of a certificate.
    enable_rpk: bool,
    /// What lint says of the row and of what it inherits.
    problems: Vec<Problem<'a>>,
    /// The lookups in their order.
    lookups: Vec<Lookup<'a>>,
    /// Who chose each value: by the names of the fields here, a place such as `main.cf:7
    /// smtp_tls_ciphers`, or `default of smtp_tls_ciphers`.
    from: BTreeMap<&'a str, String>,
    /// What becomes of mail if the server does not do as it should.
    r#if: If,
}

/// What becomes of mail.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "outcome")]
enum Outcome {
    /// TLS, or the mail waits.
    Enforced,
    /// TLS where the server offers it, or where its TLSA records ask for it.
    Opportunistic,
    /// Never TLS.
    Plaintext,
    /// The mail waits, whatever the server does.
    Deferred,
    /// Only a running Postfix knows.
    Unknown,
}

/// A security level of Postfix.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "level")]
enum Level {
    /// Never TLS.
    None,
    /// TLS where the server offers it, whoever it is.
    May,
    /// TLS or no mail, whoever it is.
    Encrypt,
    /// TLSA records where DNSSEC gives them, else as `may`.
    Dane,
    /// TLSA records or no mail.
    DaneOnly,
    /// A known certificate or key.
    Fingerprint,
    /// A trusted certificate with the MX host's name, which DNS may have forged.
    Verify,
    /// A trusted certificate with the destination's name.
    Secure,
}

/// The row that counts.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "matched")]
struct Matched<'a> {
    /// The file that it stands in; null where it stands in none.
    file: Option<&'a str>,
    /// Its line, from 1; null where it stands in no file.
    #[schemars(range(min = 1))]
    line: Option<u32>,
    /// The key that found it.
    key: &'a str,
    /// The lookup table, `type:name`.
    table: &'a str,
}

/// What lint says of a place.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "problem")]
struct Problem<'a> {
    /// The id of the rule that found it; `postls explain` prints its page.
    rule: &'a str,
    /// How Postfix takes it.
    severity: Severity,
    /// What is so, in one sentence.
    message: String,
    /// The file: relative to the configuration directory if it stands in it.
    file: &'a str,
    /// The line, from 1.
    #[schemars(range(min = 1))]
    line: u32,
    /// The column, from 1, in bytes.
    #[schemars(range(min = 1))]
    column: u32,
}

/// One lookup.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "lookup")]
struct Lookup<'a> {
    /// The lookup table, `type:name`.
    table: &'a str,
    /// The key that it was asked for.
    key: &'a str,
    /// What it came to.
    found: Result,
    /// The policy that was found, or why there is none; null where there is nothing to say.
    detail: Option<&'a str>,
}

/// What a lookup came to.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "found")]
enum Result {
    /// No row.
    Nothing,
    /// A policy.
    Row,
    /// The lookup fails.
    Error,
    /// Only a running Postfix knows.
    AtRunTime,
}

/// What becomes of mail if the server does not do as it should.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "if")]
struct If {
    /// It offers no STARTTLS.
    no_starttls: Delivery,
    /// It has a certificate that nobody trusted has signed.
    untrusted: Delivery,
    /// It has a certificate with other names.
    other_name: Delivery,
    /// It has another certificate and key.
    other_key: Delivery,
}

/// How a mail goes out.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "delivery")]
enum Delivery {
    /// Over TLS.
    Encrypted,
    /// In the clear.
    Clear,
    /// It waits.
    Deferred,
    /// As the server's TLSA records say.
    AsTlsaSays,
}

/// The answers as one JSON object.
pub(super) fn query(query: &query::Query<'_>) -> String {
    json::pretty(&Query {
        schema: "postls/query/v1",
        postfix: query.postfix.to_string(),
        postfix_why: query.postfix_why,
        service: query.service,
        results: query.answered.iter().map(|it| answer(query.sources, it)).collect(),
    })
}

pub(super) fn answer<'a>(sources: &'a Sources, answered: &'a Answered) -> Answer<'a> {
    let policy = &answered.policy;
    let undecided = answered.undecided.is_some();
    let outcome = outcome(policy.outcome);
    let (outcome, otherwise) =
        if undecided { (Outcome::Unknown, Some(outcome)) } else { (outcome, None) };
    let mail = |server| delivery(policy.delivery(server));
    Answer {
        destination: &answered.destination,
        outcome,
        otherwise,
        reason: query::reason(answered),
        matched: answered.matched.as_ref().map(|it| {
            let (file, line) = it.span.map(|span| file_and_line(sources, span)).unzip();
            Matched { file, line, key: &it.key, table: &it.table }
        }),
        level: policy.level.as_ref().map(|it| level(it.value)),
        r#match: list(policy.names.as_ref()),
        protocols: text(policy.protocols.as_ref()),
        ciphers: text(policy.ciphers.as_ref()),
        exclude: text(policy.exclude.as_ref()),
        servername: text(policy.servername.as_ref()),
        fingerprints: list(policy.fingerprints.as_ref()),
        digest: &policy.digest.value,
        trust: policy.trust.iter().map(|it| it.value.as_str()).collect(),
        connection_reuse: policy.connection_reuse.value,
        enable_rpk: policy.enable_rpk.value,
        problems: answered.problems.iter().map(|it| problem(sources, it)).collect(),
        lookups: answered.lookups.iter().map(lookup).collect(),
        from: answered
            .from
            .iter()
            .map(|(field, place)| (*field, query::shown_place(sources, place)))
            .collect(),
        r#if: If {
            no_starttls: mail(Server::WithoutStarttls),
            untrusted: mail(Server::Untrusted),
            other_name: mail(Server::OtherName),
            other_key: mail(Server::OtherKey),
        },
    }
}

fn file_and_line(sources: &Sources, span: Span) -> (&str, u32) {
    let source = sources.of(span);
    (source.name(), source.line_column(span.start).0.number())
}

fn list(chosen: Option<&Chosen<Vec<String>>>) -> &[String] {
    chosen.map_or(&[], |it| it.value.as_slice())
}

fn text(chosen: Option<&Chosen<String>>) -> &str {
    chosen.map_or("", |it| it.value.as_str())
}

fn problem<'a>(sources: &'a Sources, finding: &'a crate::finding::Finding) -> Problem<'a> {
    let source = sources.of(finding.primary.span);
    let (line, column) = source.line_column(finding.primary.span.start);
    Problem {
        rule: finding.rule,
        severity: json::severity(finding.severity),
        message: finding.message(),
        file: source.name(),
        line: line.number(),
        column,
    }
}

fn lookup(lookup: &query::Lookup) -> Lookup<'_> {
    let (found, detail) = match &lookup.found {
        Found::Nothing => (Result::Nothing, None),
        Found::Row(policy) => (Result::Row, Some(policy.as_str())),
        Found::Error(why) => (Result::Error, Some(why.as_str())),
        Found::AtRunTime(why) => (Result::AtRunTime, Some(why.as_str())),
    };
    Lookup { table: &lookup.table, key: &lookup.key, found, detail }
}

fn outcome(outcome: outcome::Outcome) -> Outcome {
    match outcome {
        outcome::Outcome::Enforced => Outcome::Enforced,
        outcome::Outcome::Opportunistic => Outcome::Opportunistic,
        outcome::Outcome::Plaintext => Outcome::Plaintext,
        outcome::Outcome::Deferred => Outcome::Deferred,
    }
}

fn delivery(delivery: outcome::Delivery) -> Delivery {
    match delivery {
        outcome::Delivery::Encrypted => Delivery::Encrypted,
        outcome::Delivery::Clear => Delivery::Clear,
        outcome::Delivery::Deferred => Delivery::Deferred,
        outcome::Delivery::AsTlsaSays => Delivery::AsTlsaSays,
    }
}

fn level(level: SecurityLevel) -> Level {
    match level {
        SecurityLevel::None => Level::None,
        SecurityLevel::May => Level::May,
        SecurityLevel::Encrypt => Level::Encrypt,
        SecurityLevel::Dane => Level::Dane,
        SecurityLevel::DaneOnly => Level::DaneOnly,
        SecurityLevel::Fingerprint => Level::Fingerprint,
        SecurityLevel::Verify => Level::Verify,
        SecurityLevel::Secure => Level::Secure,
    }
}
