//! `postls query`: which TLS policy smtp(8) applies to a destination, and why.

use clap::{Args, ValueEnum};

use super::load::{self, Bare};
use super::load_policies::queue_directory;
use super::{Common, FOUND, OK, Outcome, Stop};
use crate::config::{Configuration, Effective, Services, TableKind, TableName, TlsClient, Within};
use crate::finding::Finding;
use crate::host::System;
use crate::lint::{self, Context, PolicyClient};
use crate::lookup::{self, Answer, Duplicates, Opened, Reader, Table};
use crate::policy::client::keys;
use crate::policy::effective::{By, EffectivePolicy};
use crate::policy::outcome;
use crate::postfix;
use crate::report::query::{self as report, Answered, Found, Lookup, Matched, Place};
use crate::rules;
use crate::text::{SourceId, Span};

/// The rules that can have something to say about a policy and about what it inherits.
const TOPICS: [&str; 3] = ["policy", "syntax", "tls-client"];

#[derive(Args)]
pub(super) struct Query {
    /// Next-hop destinations as Postfix has them: a domain, [host], [host]:port
    #[arg(value_name = "DEST", required = true)]
    destinations: Vec<String>,
    /// Ask for a service of master.cf with its own settings, such as relay or smtp/unix
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// For programs: postls/query/v1
    Json,
}

/// The tables' files that could be read, by the names that the tables have for them.
type Files = Vec<(Vec<u8>, Result<SourceId, String>)>;

/// What a table said of a destination.
struct Hit {
    key: Vec<u8>,
    value: Vec<u8>,
    /// The rows that it comes from.
    places: Vec<Span>,
    /// The table's place in the list.
    table: usize,
}

/// What asking the tables came to.
enum Asked {
    Hit(Hit),
    Nothing,
    Failed(String),
}

impl Query {
    pub(super) fn run(&self, common: &Common) -> Result<Outcome, Stop> {
        let host = &System;
        let request = common.request(host, &common.directory());
        let bare = load::load_bare(host, &request)?;
        let Some(main_cf) = bare.main_cf else {
            let path = request.directory.join("main.cf");
            return Err(Stop(format!("{}: there is no such file", path.display())));
        };
        let (files, bare) = self.files(bare, main_cf)?;
        let sources = &bare.loader.sources;
        let mut context = Context::new(sources, Some(main_cf), bare.build.clone());
        if let Some(master_cf) = bare.master_cf {
            context.add_services(master_cf);
        }
        let Some(effective) = context.effective() else {
            return Err(Stop("main.cf cannot be read".to_owned()));
        };
        let (of, service) = self.client(&effective)?;
        let mut client = PolicyClient::new(&effective, of);
        let utf8 = client.client.utf8;
        let reader = Reader { version: bare.build.version, utf8, duplicates: Duplicates::Refused };
        let mut file = |name: &[u8]| -> Opened<'_> {
            let known = files.iter().find(|it| it.0 == name).map(|it| it.1.clone());
            let source = known.unwrap_or_else(|| Err("it was not read".to_owned()))?;
            Ok((source, sources.source(source).bytes()))
        };
        let tables: Vec<Table<'_>> = client
            .tables
            .iter()
            .map(|it| Table::open(it.text.as_bytes(), reader, &mut file))
            .collect();
        let mut answered: Vec<(Answered, Vec<Span>)> = Vec::new();
        let mut hits: Vec<Hit> = Vec::new();
        for destination in &self.destinations {
            let keys = keys(destination.as_bytes(), utf8);
            let (lookups, asked, undecided) = ask(&client.tables, &tables, &keys);
            if let Asked::Hit(hit) = &asked {
                let bad = bare
                    .loader
                    .bad_files(lint::anchors_of(&hit.value), &queue_directory(&effective));
                client.client.bad_files.extend(bad);
            }
            let asking = Asking { context: &context, effective: &effective, client: &client };
            answered.push(asking.answer(destination, lookups, &asked, undecided));
            if let Asked::Hit(hit) = asked {
                hits.push(hit);
            }
        }
        let problems = problems(&bare, main_cf, &client, &hits);
        for (answered, spans) in &mut answered {
            let concerns = |it: &&Finding| spans.iter().any(|span| overlap(*span, it.primary.span));
            answered.problems = problems.iter().filter(concerns).cloned().collect();
        }
        let answered: Vec<Answered> = answered.into_iter().map(|it| it.0).collect();
        let waits = |it: &Answered| it.policy.outcome == outcome::Outcome::Deferred;
        let status = if answered.iter().any(waits) { FOUND } else { OK };
        let shown = report::Query {
            sources,
            service: &service,
            answered: &answered,
            postfix: bare.build.version,
            postfix_why: bare.version_why,
        };
        let output = match self.format {
            Format::Human => report::human(&shown, common.style()),
            Format::Json => report::json(&shown),
        };
        Ok(Outcome { output: output.into_bytes(), status })
    }

    /// Reads the files of the client's tables.
    fn files<'b>(&self, mut bare: Bare<'b>, main_cf: SourceId) -> Result<(Files, Bare<'b>), Stop> {
        let tables = {
            let main = Configuration::new(&bare.loader.sources, main_cf, bare.build.clone());
            let services = bare.master_cf.map(|it| Services::new(&bare.loader.sources, it));
            let effective = Effective::new(&main, services.as_ref());
            let (of, _) = self.client(&effective)?;
            PolicyClient::new(&effective, of).tables
        };
        let mut files: Files = Vec::new();
        for table in &tables {
            for name in lookup::files(table.text.as_bytes(), bare.build.version) {
                if files.iter().any(|it| it.0 == name) {
                    continue;
                }
                let text = String::from_utf8_lossy(name).into_owned();
                let wanted = TableName {
                    text: text.clone(),
                    kind: TableKind::Other,
                    name: text,
                    span: None,
                };
                let read = bare.loader.path(&wanted).and_then(|path| {
                    let shown = load::name_in(&bare.loader.request.directory, &path);
                    bare.loader.read(&path, &shown).map_err(|Stop(why)| why)
                });
                files.push((name.to_vec(), read));
            }
        }
        Ok((files, bare))
    }

    /// The client to ask for, and how it is called.
    fn client<'e>(&self, effective: &'e Effective<'e>) -> Result<(TlsClient<'e>, String), Stop> {
        let Some(wanted) = &self.service else {
            // default_transport names this service where nobody sets it.
            let usual = effective.scopes.iter().find(|it| it.name == b"smtp/unix");
            let within = usual.filter(|it| it.settings.is_some());
            let of = within.map_or(Within::Main, Within::Service);
            return Ok((effective.tls_client_within("smtp", of), "smtp".to_owned()));
        };
        let is_client = |program: &[u8]| [b"smtp", b"lmtp"].iter().any(|it| *it == program);
        let named = effective.scopes.iter().find(|it| {
            is_client(it.program())
                && (it.name == wanted.as_bytes() || it.service == wanted.as_bytes())
        });
        let Some(scope) = named else {
            let all = effective.scopes.iter().filter(|it| is_client(it.program()));
            let all: Vec<_> = all.map(|it| String::from_utf8_lossy(&it.service)).collect();
            return Err(Stop(format!(
                "master.cf has no service \"{wanted}\" that runs smtp or lmtp; it has {}",
                if all.is_empty() { "none".to_owned() } else { all.join(", ") }
            )));
        };
        let program = if scope.program() == b"lmtp" { "lmtp" } else { "smtp" };
        let within = if scope.settings.is_some() { Within::Service(scope) } else { Within::Main };
        Ok((effective.tls_client_within(program, within), wanted.clone()))
    }
}

/// Asks for each key every table, until one answers (`maps_find`). What only a running Postfix
/// knows is noted, and the search goes on as if it had nothing.
fn ask(
    names: &[TableName],
    tables: &[Table<'_>],
    keys: &[Vec<u8>],
) -> (Vec<Lookup>, Asked, Option<String>) {
    let (mut lookups, mut undecided) = (Vec::new(), None);
    let asked: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
    // A large table is read once for all keys.
    let answers: Vec<Vec<Answer>> = tables.iter().map(|it| it.ask_all(&asked)).collect();
    for (index, key) in keys.iter().enumerate().filter(|it| !it.1.is_empty()) {
        for (table, answers) in answers.iter().enumerate() {
            let mut note = |found| {
                let text = names[table].text.clone();
                let key = String::from_utf8_lossy(key).into_owned();
                lookups.push(Lookup { table: text, key, found });
            };
            match &answers[index] {
                Answer::NotFound => note(Found::Nothing),
                Answer::AtRunTime(why) => {
                    note(Found::AtRunTime(why.clone()));
                    undecided.get_or_insert_with(|| why.clone());
                }
                Answer::Error(why) => {
                    note(Found::Error(why.clone()));
                    return (lookups, Asked::Failed(why.clone()), undecided);
                }
                Answer::Found { value, .. } if value.is_empty() => {
                    let why = "a row without a value".to_owned();
                    note(Found::Error(why.clone()));
                    return (lookups, Asked::Failed(why), undecided);
                }
                Answer::Found { value, places } => {
                    note(Found::Row(String::from_utf8_lossy(value).into_owned()));
                    let (key, value) = (key.clone(), value.clone());
                    let hit = Hit { key, value, places: places.clone(), table };
                    return (lookups, Asked::Hit(hit), undecided);
                }
            }
        }
    }
    (lookups, Asked::Nothing, undecided)
}

/// A client that has asked its tables.
struct Asking<'a> {
    context: &'a Context<'a>,
    effective: &'a Effective<'a>,
    client: &'a PolicyClient,
}

impl Asking<'_> {
    /// What it comes to, and the places that have a part in it.
    fn answer(
        &self,
        destination: &str,
        lookups: Vec<Lookup>,
        asked: &Asked,
        undecided: Option<String>,
    ) -> (Answered, Vec<Span>) {
        let (policy, hit) = match asked {
            Asked::Failed(why) => {
                let why = format!("a lookup in the policy tables fails ({why})");
                (EffectivePolicy::held(&self.client.client, &why), None)
            }
            Asked::Nothing => {
                (EffectivePolicy::new(&self.client.client, destination.as_bytes(), None), None)
            }
            Asked::Hit(hit) => {
                let client = &self.client.client;
                (EffectivePolicy::new(client, &hit.key, Some(&hit.value)), Some(hit))
            }
        };
        let matched = hit.map(|hit| self.matched(hit));
        let mut spans: Vec<Span> = hit.map(|it| it.places.clone()).unwrap_or_default();
        spans.extend(hit.and_then(|it| self.client.tables[it.table].span));
        if self.client.client.level.is_err() {
            // It stops all of the client's mail, whatever the tables say.
            let level = self.client.client.level_from;
            spans.extend(self.client.set_at(self.effective, level));
        }
        let mut place = |by: &By| match by {
            By::Row(range) => self.place_in_row(hit, range.start),
            By::Parameter(suffix) => {
                spans.extend(self.client.set_at(self.effective, suffix));
                place_of(self.client, self.effective, suffix)
            }
        };
        let from = policy.origins().into_iter().map(|(field, by)| (field, place(by))).collect();
        let answered = Answered {
            destination: destination.to_owned(),
            lookups,
            matched,
            policy,
            from,
            undecided,
            problems: Vec::new(),
        };
        (answered, spans)
    }

    fn matched(&self, hit: &Hit) -> Matched {
        let table = &self.client.tables[hit.table];
        Matched {
            table: table.text.clone(),
            key: String::from_utf8_lossy(&hit.key).into_owned(),
            // What stands in a value of main.cf has its place there.
            span: hit.places.first().copied().or(table.span),
        }
    }

    /// Where a byte of a policy stands.
    fn place_in_row(&self, hit: Option<&Hit>, at: usize) -> Place {
        let span = hit.and_then(|hit| {
            let Some(row) = hit.places.first() else { return self.client.tables[hit.table].span };
            Some(lint::place_in_row(self.context.sources, *row, &hit.value, at))
        });
        span.map_or(Place::Nowhere, |span| Place::At { parameter: None, span })
    }
}

/// Who says what a parameter of the client is: `suffix` is the part behind the client's name.
pub(super) fn place_of(client: &PolicyClient, effective: &Effective<'_>, suffix: &str) -> Place {
    let name = client.parameter(suffix);
    match client.set_at(effective, suffix) {
        Some(span) => Place::At { parameter: Some(name), span },
        None => Place::Default {
            since: postfix::parameter(&name)
                .and_then(|it| it.default_since(&effective.main.environment.build)),
            parameter: name,
        },
    }
}

/// What lint says of these rows and of what they inherit.
fn problems(
    bare: &Bare<'_>,
    main_cf: SourceId,
    client: &PolicyClient,
    hits: &[Hit],
) -> Vec<Finding> {
    let mut context = Context::new(&bare.loader.sources, Some(main_cf), bare.build.clone());
    if let Some(master_cf) = bare.master_cf {
        context.add_services(master_cf);
    }
    for hit in hits {
        let table = &client.tables[hit.table];
        match (hit.places.first().copied().or(table.span), table.kind) {
            (Some(row), TableKind::Indexed | TableKind::Texthash) => {
                context.add_row(row, client.clone());
            }
            (Some(place), TableKind::Other) => {
                context.add_value(&hit.value, place, client.clone());
            }
            (None, _) => {}
        }
    }
    let topics = rules::topics().filter(|(topic, _)| TOPICS.contains(topic));
    lint::run_all(topics.flat_map(|(_, rules)| rules.iter().copied()), &context)
}

fn overlap(a: Span, b: Span) -> bool {
    a.source == b.source && a.start < b.end.max(b.start + 1) && b.start < a.end.max(a.start + 1)
}
