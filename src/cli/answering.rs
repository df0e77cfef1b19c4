//! The effective policies of destinations, with who decides them: what `query` prints and `probe` judges by.

use super::Stop;
use super::load::{self, Bare};
use super::load_policies::queue_directory;
use crate::config::{Configuration, Effective, Services, TableKind, TableName, TlsClient, Within};
use crate::finding::Finding;
use crate::lint::{self, Context, PolicyClient};
use crate::lookup::{self, Answer, Duplicates, Opened, Reader, Table};
use crate::policy::client::keys;
use crate::policy::effective::{By, EffectivePolicy};
use crate::policy::{Destination, compile};
use crate::postfix;
use crate::report::query::{Answered, Found, Lookup, Matched, Place};
use crate::rules;
use crate::text::{SourceId, Span};

/// The rules that can have something to say about a policy and about what it inherits.
const TOPICS: [&str; 3] = ["policy", "syntax", "tls-client"];

/// A next-hop destination, and a policy that is to count for it though no table has it.
pub(super) struct Question<'p> {
    pub(super) destination: String,
    /// Its entry in the policy file.
    pub(super) as_if: Option<&'p Destination>,
}

/// The answers, in the order of the questions, with all that they were made of.
#[cfg_attr(not(feature = "probe"), allow(dead_code))]
pub(super) struct Answers<'b, T> {
    pub(super) bare: Bare<'b>,
    pub(super) client: PolicyClient,
    /// What was made of the client's parameters.
    pub(super) made: T,
    /// What the client is called.
    pub(super) service: String,
    pub(super) answered: Vec<Answered>,
}

/// A file of a table.
#[cfg_attr(not(feature = "probe"), allow(dead_code))]
struct TableFile {
    /// The table's name for it.
    name: Vec<u8>,
    /// How it is read.
    kind: TableKind,
    /// What was read, or why nothing was.
    read: Result<SourceId, String>,
}

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
    /// Nobody asked: this counts.
    AsIf(Vec<u8>, Span),
    Nothing,
    Failed(String),
}

/// Asks the tables of the client, `service` or the usual one, for all destinations. `from` is given its program, smtp or lmtp,
/// and the value of each parameter that holds for it.
pub(super) fn answer<'b, T>(
    mut bare: Bare<'b>,
    service: Option<&str>,
    questions: &[Question<'_>],
    from: impl FnOnce(&'static str, &dyn Fn(&str) -> Vec<u8>) -> T,
) -> Result<Answers<'b, T>, Stop> {
    let Some(main_cf) = bare.main_cf else {
        let path = bare.loader.request.directory.join("main.cf");
        return Err(Stop(format!("{}: there is no such file", path.display())));
    };
    let files = files(&mut bare, main_cf, service)?;
    let sources = &bare.loader.sources;
    let mut context = Context::new(sources, Some(main_cf), bare.build.clone());
    if let Some(master_cf) = bare.master_cf {
        context.add_services(master_cf);
    }
    let Some(effective) = context.effective() else {
        return Err(Stop("main.cf cannot be read".to_owned()));
    };
    let (of, service) = client(&effective, service)?;
    let made = from(of.program, &|name| of.exactly(name).unwrap_or_default());
    let mut client = PolicyClient::new(&effective, of);
    let utf8 = client.client.utf8;
    let reader = Reader { version: bare.build.version, utf8, duplicates: Duplicates::Refused };
    let mut file = |name: &[u8]| -> Opened<'_> {
        let known = files.iter().find(|it| it.name == name).map(|it| it.read.clone());
        let source = known.unwrap_or_else(|| Err("it was not read".to_owned()))?;
        Ok((source, sources.source(source).bytes()))
    };
    let tables = client.tables.iter().map(|it| Table::open(it.text.as_bytes(), reader, &mut file));
    let tables: Vec<Table<'_>> = tables.collect();
    let all: Vec<Vec<Vec<u8>>> =
        questions.iter().map(|it| keys(it.destination.as_bytes(), utf8)).collect();
    let flat: Vec<&[u8]> = all.iter().flatten().map(Vec::as_slice).collect();
    // A large table is read once for all keys.
    let answers: Vec<Vec<Answer>> = tables.iter().map(|it| it.ask_all(&flat)).collect();
    let mut answered: Vec<(Answered, Vec<Span>)> = Vec::new();
    let mut hits: Vec<Hit> = Vec::new();
    let mut at = 0;
    for (question, keys) in questions.iter().zip(&all) {
        let of_it: Vec<&[Answer]> = answers.iter().map(|it| &it[at..at + keys.len()]).collect();
        at += keys.len();
        let (lookups, mut asked, undecided) = first(&client.tables, keys, &of_it);
        if let Some(entry) = question.as_if {
            let mut row = String::new();
            compile::write(&entry.policy, client.client.known_digest(), &mut row);
            asked = Asked::AsIf(row.into_bytes(), entry.nexthop.span);
        }
        let row = match &asked {
            Asked::Hit(hit) => Some(&hit.value),
            Asked::AsIf(row, _) => Some(row),
            Asked::Nothing | Asked::Failed(_) => None,
        };
        if let Some(row) = row {
            let bad = bare.loader.bad_files(lint::anchors_of(row), &queue_directory(&effective));
            client.client.bad_files.extend(bad);
        }
        let asking = Asking { context: &context, effective: &effective, client: &client };
        answered.push(asking.answer(&question.destination, lookups, &asked, undecided));
        if let Asked::Hit(hit) = asked {
            hits.push(hit);
        }
    }
    let problems = problems(&bare, main_cf, &client, &hits);
    for (answered, spans) in &mut answered {
        let concerns = |it: &&Finding| spans.iter().any(|span| overlap(*span, it.primary.span));
        answered.problems = problems.iter().filter(concerns).cloned().collect();
    }
    let answered = answered.into_iter().map(|it| it.0).collect();
    drop(context);
    Ok(Answers { bare, client, made, service, answered })
}

/// The keys of the client's tables, as far as they are rows.
#[cfg(feature = "probe")]
pub(super) fn keys_of_tables(
    bare: &mut Bare<'_>,
    main_cf: SourceId,
    service: Option<&str>,
) -> Result<Vec<String>, Stop> {
    let files = files(bare, main_cf, service)?;
    let of_rows = files.iter().filter(|it| it.kind != TableKind::Other);
    let sources = &bare.loader.sources;
    let mut keys = Vec::new();
    for source in of_rows.filter_map(|it| it.read.clone().ok()) {
        let rows = lookup::texthash(sources.source(source).bytes(), bare.build.version, true);
        keys.extend(rows.into_iter().filter_map(|(key, _)| String::from_utf8(key).ok()));
    }
    Ok(keys)
}

/// Reads the files of the client's tables.
fn files(
    bare: &mut Bare<'_>,
    main_cf: SourceId,
    service: Option<&str>,
) -> Result<Vec<TableFile>, Stop> {
    let tables = {
        let main = Configuration::new(&bare.loader.sources, main_cf, bare.build.clone());
        let services = bare.master_cf.map(|it| Services::new(&bare.loader.sources, it));
        let effective = Effective::new(&main, services.as_ref());
        let (of, _) = client(&effective, service)?;
        PolicyClient::new(&effective, of).tables
    };
    let mut files: Vec<TableFile> = Vec::new();
    for table in &tables {
        for name in lookup::files(table.text.as_bytes(), bare.build.version) {
            if files.iter().any(|it| it.name == name) {
                continue;
            }
            let text = String::from_utf8_lossy(name).into_owned();
            let wanted =
                TableName { text: text.clone(), kind: TableKind::Other, name: text, span: None };
            let read = bare.loader.path(&wanted).and_then(|path| {
                let shown = load::name_in(&bare.loader.request.directory, &path);
                bare.loader.read(&path, &shown).map_err(|Stop(why)| why)
            });
            files.push(TableFile { name: name.to_vec(), kind: table.kind, read });
        }
    }
    Ok(files)
}

/// The client to ask for, and how it is called.
fn client<'e>(
    effective: &'e Effective<'e>,
    service: Option<&str>,
) -> Result<(TlsClient<'e>, String), Stop> {
    let Some(wanted) = service else {
        // default_transport names this service where nobody sets it.
        let usual = effective.scopes.iter().find(|it| it.name == b"smtp/unix");
        let within = usual.filter(|it| it.settings.is_some());
        let of = within.map_or(Within::Main, Within::Service);
        return Ok((effective.tls_client_within("smtp", of), "smtp".to_owned()));
    };
    let is_client = |program: &[u8]| [b"smtp", b"lmtp"].iter().any(|it| *it == program);
    let named = effective.scopes.iter().find(|it| {
        is_client(it.program()) && (it.name == wanted.as_bytes() || it.service == wanted.as_bytes())
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
    Ok((effective.tls_client_within(program, within), wanted.to_owned()))
}

/// What each table answered for each key, until one has it (`maps_find`). What only a running Postfix
/// knows is noted, and the search goes on as if it had nothing.
fn first(
    names: &[TableName],
    keys: &[Vec<u8>],
    answers: &[&[Answer]],
) -> (Vec<Lookup>, Asked, Option<String>) {
    let (mut lookups, mut undecided) = (Vec::new(), None);
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
            Asked::AsIf(row, _) => {
                let client = &self.client.client;
                (EffectivePolicy::new(client, destination.as_bytes(), Some(row)), None)
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
            By::Row(range) => match asked {
                Asked::AsIf(_, span) => Place::At { parameter: None, span: *span },
                Asked::Hit(_) | Asked::Nothing | Asked::Failed(_) => {
                    self.place_in_row(hit, range.start)
                }
            },
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
