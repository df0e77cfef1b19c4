//! `postls import`: the policy file for a configuration that is there.
//!
//! What is written is tried before anybody gets it: lint finds no error in it, and the plan that it
//! leads to is empty, or it is said what that plan would change.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use super::load::{self, Loaded, POLICY_FILE, Request};
use super::{Common, FOUND, OK, Outcome, Stop, complain, planning};
use crate::config::{Configuration, Effective, TableKind, TableName, Within};
use crate::finding::Severity;
use crate::host::{Host, System};
use crate::lint;
use crate::plan::{Change, Plan, Stale};
use crate::policy::compile::MARK;
use crate::policy::import::{self, Draft, LeftOut, Live, LiveParameter, LiveTable, comments};
use crate::rules;
use crate::text::{SourceId, Span, shortened};

/// More than this of one kind is counted.
const MAX_SAID: usize = 50;

/// What stands in for the policy file before there is one: it is not the one that may be there.
const NOTHING: &str = "version: 1\n";

#[derive(Args)]
pub(super) struct Import {
    /// Write a new file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Overwrite the file that is there
    #[arg(long, requires = "output")]
    force: bool,
}

/// What was found beside the policy file.
#[derive(Default)]
struct Remarks {
    /// What stays as it is and is not in the policy file.
    not_imported: Vec<String>,
    /// Why `postls diff` would not be empty.
    changes: Vec<String>,
}

impl Import {
    pub(super) fn run(&self, common: &Common) -> Result<Outcome, Stop> {
        let host = &System;
        if let Some(path) = &self.output
            && host.exists(path)
            && !self.force
        {
            let path = path.display();
            return Err(Stop(format!("{path}: this file is there; --force overwrites it")));
        }
        let request = common.request(host, &common.directory());
        let request = with_policy(&request, NOTHING);
        let loaded = load::load(host, &request)?;
        let context = loaded.context();
        let Some(configuration) = &context.configuration else {
            let path = request.directory.join("main.cf");
            return Err(Stop(format!("{}: there is no such file", path.display())));
        };
        let mut remarks = Remarks::default();
        let live = live(host, &loaded, configuration, &mut remarks);
        let mut draft = Draft::new(&live);
        let settled = settle(host, common, &request, &mut draft)?;
        match planning::plan(host, &settled, &with_policy(&request, draft.text()), common.style()) {
            Ok(planned) => remarks.say_changes(&planned.plan),
            Err(Stop(why)) => remarks.changes.push(format!("what it would be is not known: {why}")),
        }
        let table = live.table.as_ref().map_or("", |it| &it.path);
        remarks.print(table, &draft.left_out());
        let status = if remarks.changes.is_empty() { OK } else { FOUND };
        let Some(path) = &self.output else {
            return Ok(Outcome { output: draft.text().as_bytes().to_vec(), status });
        };
        planning::write(host, path, draft.text().as_bytes())?;
        let said = if common.quiet { String::new() } else { format!("wrote {}\n", path.display()) };
        Ok(Outcome { output: said.into_bytes(), status })
    }
}

fn with_policy<'r>(request: &'r Request<'_>, text: &str) -> Request<'r> {
    request.with(BTreeMap::from([(POLICY_FILE.to_owned(), text.as_bytes().to_vec())]))
}

/// Makes comments of what lint finds an error in, until there is none, and reads what is left.
fn settle(
    host: &dyn Host,
    common: &Common,
    request: &Request<'_>,
    draft: &mut Draft<'_>,
) -> Result<Loaded, Stop> {
    loop {
        let loaded = load::load(host, &with_policy(request, draft.text()))?;
        let policy = loaded.policy.as_ref().map_or(&[][..], |it| it.sources.as_slice());
        let errors = errors(&loaded, policy);
        if errors.is_empty() {
            return Ok(loaded);
        }
        if !draft.refuse(errors) {
            let drawn = planning::draw_errors(&loaded, policy, common.style());
            return Err(Stop(format!("no policy file can say what is there\n\n{drawn}")));
        }
    }
}

/// The errors in some files, with their places.
fn errors(loaded: &Loaded, files: &[SourceId]) -> Vec<(Span, String)> {
    let findings = lint::counted(rules::all(), &loaded.context()).findings.into_iter();
    let errors = findings.filter(|it| it.severity == Severity::Error);
    let here = errors.filter(|it| files.contains(&it.primary.span.source));
    here.map(|it| (it.primary.span, format!("{} ({})", it.summary, it.rule))).collect()
}

fn live<'a>(
    host: &dyn Host,
    loaded: &'a Loaded,
    configuration: &Configuration<'_>,
    remarks: &mut Remarks,
) -> Live<'a> {
    let table = ["smtp", "lmtp"].into_iter().fold(None, |found, client| {
        let parameter = format!("{client}_tls_policy_maps");
        let listed = Effective::new(configuration, None).tables(&parameter, Within::Main);
        let set = configuration.setting(&parameter).is_some();
        let listed = if set { listed } else { Vec::new() };
        listed.into_iter().fold(found, |found, listed| {
            let taken = match &found {
                Some(_) => Err("a policy file has one table".to_owned()),
                None => table(host, loaded, configuration, &parameter, &listed),
            };
            if let Err(why) = &taken {
                let text = shortened(&listed.text);
                remarks.not_imported.push(format!("{parameter}: {text} stays as it is: {why}"));
            }
            found.or(taken.ok())
        })
    });
    let main_cf: Vec<SourceId> = loaded.main_cf.into_iter().collect();
    let parameters = parameters(configuration, &errors(loaded, &main_cf));
    let mut header = vec![match &table {
        Some(table) => format!("Written by postls import from main.cf and {}.", table.path),
        None => "Written by postls import from main.cf.".to_owned(),
    }];
    let pins = table.as_ref().is_some_and(|it| has_pins(it.bytes));
    if pins {
        header.extend(
            [
                "A fingerprint does not say whether it is that of a certificate or of its public key.",
                "They are written as certificates: where it is a key's, change the word to public-key.",
            ]
            .map(str::to_owned),
        );
    }
    for remark in &remarks.not_imported {
        header.push(format!("Not here: {}", comments::readable(remark.as_bytes())));
    }
    Live { header, parameters, table }
}

/// Whether there may be fingerprints in a table: a remark does not need more.
fn has_pins(table: &[u8]) -> bool {
    memchr::memmem::find(table, b"fingerprint").is_some()
}

/// The table that a list names, if it can become that of a policy file.
fn table<'a>(
    host: &dyn Host,
    loaded: &'a Loaded,
    configuration: &Configuration<'_>,
    parameter: &str,
    listed: &TableName,
) -> Result<LiveTable<'a>, String> {
    if listed.kind == TableKind::Other {
        return Err("it is no table of rows".to_owned());
    }
    let text = listed.text.strip_prefix("proxy:").unwrap_or(&listed.text);
    let kind = text.split_once(':').map_or(text, |it| it.0).to_owned();
    let path = inside(host, &loaded.directory, &listed.name)
        .ok_or("it does not stand in the configuration directory")?;
    let source = loaded.source(&path).ok_or("there is no such file")?;
    let setting = configuration.setting(parameter);
    let bytes = configuration.bytes();
    let above = setting.map(|it| comments::above(bytes, it.name_span().range().start));
    Ok(LiveTable {
        path,
        kind,
        parameter: parameter.to_owned(),
        comments: above.unwrap_or_default(),
        bytes: loaded.sources.source(source).bytes(),
    })
}

/// The file of the directory that main.cf calls by this name.
fn inside(host: &dyn Host, directory: &Path, name: &str) -> Option<String> {
    // Each of the names of a file ends with it.
    let files = load::names_of(host, directory, "");
    files.iter().find_map(|it| name.strip_prefix(it.as_str())).map(str::to_owned)
}

/// The parameters that decide about a client's TLS, but for those with one of the errors.
fn parameters(configuration: &Configuration<'_>, errors: &[(Span, String)]) -> Vec<LiveParameter> {
    let bytes = configuration.bytes();
    let is_wanted = |name: &[u8]| import::PARAMETERS.iter().any(|it| it.as_bytes() == name);
    let mut found: Vec<LiveParameter> = Vec::new();
    for setting in configuration.all_settings().filter(|it| is_wanted(it.name())) {
        let name = String::from_utf8_lossy(setting.name()).into_owned();
        let words = setting.value();
        let words = words.text().split(u8::is_ascii_whitespace).filter(|it| !it.is_empty());
        let value = words.collect::<Vec<_>>().join(b" ".as_slice());
        let lines = setting.entry().lines(bytes);
        let first = lines.first().map_or(0, |it| it.start);
        let mut comments = comments::above(bytes, first);
        let end = lines.last().map_or(first, |it| it.end);
        comments.extend(comments::within(bytes, first..end));
        comments.retain(|it| !it.is_empty());
        let is_here = |span: &Span| (first..end).contains(&span.range().start);
        let error = errors.iter().find(|(span, _)| is_here(span)).map(|(_, why)| why.clone());
        let not_utf8 = || "its value is not UTF-8, and a policy file is".to_owned();
        let refused = error.or_else(|| str::from_utf8(&value).err().map(|_| not_utf8()));
        if let Some(before) = found.iter_mut().find(|it| it.name == name) {
            // The policy file would take out all but one of them.
            let twice = || "main.cf sets it twice, and the last one counts".to_owned();
            let refused = Some(before.refused.take().or(refused).unwrap_or_else(twice));
            before.comments.extend(comments);
            *before = LiveParameter { value, refused, ..std::mem::take(before) };
            continue;
        }
        found.push(LiveParameter { name, value, comments, refused });
    }
    found
}

impl Remarks {
    fn say_changes(&mut self, plan: &Plan) {
        for change in &plan.changes {
            self.changes.push(match change {
                Change::Index { kind, name, why: Stale::Missing, .. } => {
                    format!("{kind}:{name} has no index, and postmap has to build it")
                }
                Change::Index { kind, name, why: Stale::Differs, .. } => format!(
                    "the index of {kind}:{name} is older than the table, and postmap has to build it"
                ),
                Change::Index { kind, name, why: Stale::SourceChanges, .. } => {
                    format!("the index of {kind}:{name} follows the table")
                }
                Change::Write { name, old: Some(old), .. }
                    if plan.policies.is_empty() && name != "main.cf" =>
                {
                    if old.starts_with(MARK.as_bytes()) {
                        format!("{name} is postls's, and not as postls writes it")
                    } else {
                        format!("a daemon refuses all of {name} for a key that stands in it twice")
                    }
                }
                Change::Write { name, .. } => format!("{name} changes"),
                Change::Remove { name, .. } => format!("{name} goes away"),
            });
        }
        let foreign: Vec<&str> = plan.foreign().collect();
        if !foreign.is_empty() {
            let keys = shortened(&foreign.join(", "));
            self.changes.push(format!("rows that are left out would be lost: {keys}"));
        }
    }

    fn print(&self, table: &str, left_out: &[LeftOut]) {
        say(self.not_imported.iter().cloned());
        say(left_out.iter().map(|it| {
            let place = match it.line {
                Some(line) => format!("{table}:{line}"),
                None => "main.cf".to_owned(),
            };
            format!("{place}: \"{}\" is left out: {}", shortened(&it.text), it.why)
        }));
        if !self.changes.is_empty() {
            complain("postls diff will not be empty");
            say(self.changes.iter().cloned());
        }
    }
}

fn say(all: impl ExactSizeIterator<Item = String>) {
    let left = all.len().saturating_sub(MAX_SAID);
    for text in all.take(MAX_SAID) {
        complain(&text);
    }
    if left > 0 {
        complain(&format!("and {left} more of that kind; the policy file has all as comments"));
    }
}
