//! The policy file (`postls.yaml`): every mistake in it, each at its place.
//!
//! Strict: a key that does not exist is a problem, not a guess. Reading goes
//! on behind each mistake; after a syntax error it stops there, but what
//! stands before is judged all the same.
//!
//! Files that pins name are not opened here: [`File::read_pins`] asks for their bytes.

mod entry;
mod lint;
mod pin;
mod reader;
mod tree;

pub(super) use entry::Entry;

use std::collections::HashMap;
use std::rc::Rc;

use foldhash::fast::RandomState;

use reader::{Field, Reader};
use tree::{Tree, Value};

use super::{Lint, Parameter, Placed, Policy, Problem, ProblemKind, Table};
use crate::certificate::Subject;
use crate::postfix::{self, Version};
use crate::text::{SourceId, Span, nearest, shortened};

/// Table types that postls can write: those that postmap builds, and texthash.
const TABLE_TYPES: &[&str] = &["btree", "cdb", "dbm", "hash", "lmdb", "sdbm", "texthash"];

/// One policy file. Profiles are not yet filled in: they may stand in another file.
#[derive(Debug, Default)]
pub struct File {
    pub(super) postfix: Option<Placed<Version>>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) table: Table,
    pub(super) profiles: Vec<(Placed<String>, Policy)>,
    pub(super) entries: Vec<Entry>,
    pub(super) problems: Vec<Problem>,
    pub(super) lint: Lint,
    /// Patterns of the files to include, relative to this one.
    pub includes: Vec<Placed<String>>,
}

impl File {
    /// Reads the files that its pins name. `read` gives the bytes of one, or says why it cannot;
    /// each is asked for once.
    pub fn read_pins(&mut self, read: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>) {
        let mut known: HashMap<String, Result<Subject, String>, RandomState> = HashMap::default();
        let mut subject = |path: &str| {
            let read = || pin::subject(&read(path)?);
            known.entry(path.to_owned()).or_insert_with(read).clone()
        };
        let profiles = self.profiles.iter_mut().map(|(_, policy)| policy);
        let entries = self.entries.iter_mut().map(|it| &mut it.settings.policy);
        for pins in profiles.chain(entries).filter_map(|it| it.pins.as_mut()) {
            // Nobody shares them before profiles are filled in.
            for pin in Rc::get_mut(pins).into_iter().flatten() {
                self.problems.extend(pin::look_into_file(pin, &mut subject));
            }
        }
    }
}

/// Whether a file may hold everything, or only profiles and destinations.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The policy file itself.
    Main,
    /// A file that it includes.
    Included,
}

/// Reads any bytes.
pub fn read(source: SourceId, bytes: &[u8], role: Role) -> File {
    let mut reader = Reader::default();
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => ascii_of_invalid(&mut reader, source, bytes),
    };
    let (tree, error) = Tree::parse(source, &text);
    let broken = error.is_some();
    if let Some(error) = error
        && !note_tabs(&mut reader, source, &text)
    {
        let note = reader.note(ProblemKind::Syntax, error.span, error.text);
        if text.as_bytes().get(error.span.range().start.saturating_sub(1)) == Some(&b']') {
            note.help = Some("a key that begins with \"[\" must stand in quotes".to_owned());
        }
    }
    let mut file = File::default();
    match tree.root() {
        Some(root) => top(&mut reader, root, role, broken, &mut file),
        None if broken => {}
        None => {
            let start = Span::new(source, 0..0);
            reader.note(ProblemKind::Version, start, "the file is empty").help =
                Some("begin with \"version: 1\"".to_owned());
        }
    }
    file.problems = reader.problems;
    file
}

const TOP: &[&str] =
    &["version", "postfix", "parameters", "table", "profiles", "destinations", "include", "lint"];
const TOP_INCLUDED: &[&str] = &["version", "profiles", "destinations"];

fn top(reader: &mut Reader, root: Value<'_>, role: Role, broken: bool, file: &mut File) {
    let known = match role {
        Role::Main => TOP,
        Role::Included => TOP_INCLUDED,
    };
    let mut version = role == Role::Included || broken;
    for field in reader.fields(root, "a policy file") {
        let Field { name, value, .. } = field;
        if !known.contains(&name) {
            let what = match role {
                Role::Main => "a policy file",
                Role::Included => "an included policy file",
            };
            reader.unknown_key(field, what, known);
            continue;
        }
        match name {
            "version" => {
                version = true;
                if value.text() != Some("1") {
                    reader.note(ProblemKind::Version, value.span(), "this postls reads version 1");
                }
            }
            "postfix" => file.postfix = oldest_postfix(reader, value),
            "parameters" => file.parameters = parameters(reader, value),
            "table" => file.table = table(reader, field),
            "profiles" => file.profiles = entry::profiles(reader, value),
            // All of them may be commented out.
            "destinations" if value.is_null() => {}
            "destinations" => file.entries = entry::destinations(reader, value),
            "include" => file.includes = includes(reader, value),
            _ => file.lint = lint::settings(reader, value),
        }
    }
    if !version && root.kind() == tree::Kind::Mapping {
        reader.note(ProblemKind::Version, root.span(), "version is missing").help =
            Some("begin with \"version: 1\"".to_owned());
    }
    // A parameter that lists the table is written by postls itself.
    let clash = file.parameters.iter().find(|it| it.name.value == file.table.parameter);
    if let Some(clash) = clash {
        let text = format!("postls sets {} itself, to list its table", clash.name.value);
        reader.note(ProblemKind::Value, clash.name.span, text).help =
            Some("take it out of parameters; other tables in its list stay".to_owned());
    }
}

/// Patterns with `**` are refused: they walk through everything below.
fn includes(reader: &mut Reader, value: Value<'_>) -> Vec<Placed<String>> {
    let (wide, fine): (Vec<_>, Vec<_>) =
        owned(reader.texts(value, "include")).into_iter().partition(|it| it.value.contains("**"));
    for pattern in wide {
        let text = format!("\"{}\" would search everything below it", shortened(&pattern.value));
        reader.note(ProblemKind::Value, pattern.span, text).help =
            Some("name the folder: partners/*.yaml".to_owned());
    }
    fine
}

fn oldest_postfix(reader: &mut Reader, value: Value<'_>) -> Option<Placed<Version>> {
    let text = reader.text(value, "postfix")?;
    let version = Version::parse(text.value);
    if version.is_none_or(|it| it < Version::OLDEST) {
        let text =
            format!("\"{}\" is no Postfix version from {}", shortened(text.value), Version::OLDEST);
        reader.note(ProblemKind::Value, value.span(), text).help =
            Some("write it in quotes: \"3.10\" without them is the number 3.1".to_owned());
        return None;
    }
    if value.kind() == (tree::Kind::Scalar { plain: true }) && text.value.ends_with('0') {
        let note = format!(
            "{} without quotes is the number {}",
            text.value,
            text.value.trim_end_matches('0')
        );
        reader.note(ProblemKind::Value, value.span(), note).help =
            Some("write it in quotes".to_owned());
    }
    Some(Placed { value: version?, span: text.span })
}

fn parameters(reader: &mut Reader, value: Value<'_>) -> Vec<Parameter> {
    let mut parameters = Vec::new();
    for field in reader.fields(value, "parameters") {
        let name = Placed { value: field.name.to_owned(), span: field.key };
        let is_name = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-' | '.');
        if field.name.is_empty() || !field.name.chars().all(is_name) {
            let text = format!("\"{}\" is no parameter name", shortened(field.name));
            reader.note(ProblemKind::Value, field.key, text);
            continue;
        }
        if let Some(meant) = misspelt(field.name) {
            let text = format!("Postfix has no parameter \"{}\"", shortened(field.name));
            reader.note(ProblemKind::UnknownKey, field.key, text).help =
                Some(format!("did you mean \"{meant}\"?"));
            continue;
        }
        if field.value.is_null() {
            parameters.push(Parameter { name, value: None });
            continue;
        }
        let Some(text) = field.value.text() else {
            reader.wrong_type(field.value, field.name, "text");
            continue;
        };
        if let Some(bad) = text.chars().find(|it| it.is_control()) {
            let text = format!("a value of main.cf is one line of text; this one has {bad:?}");
            reader.note(ProblemKind::Value, field.value.span(), text);
            continue;
        }
        let value = Placed { value: text.trim().to_owned(), span: field.value.span() };
        parameters.push(Parameter { name, value: Some(value) });
    }
    parameters
}

/// The parameter that a name was most likely meant to be. Only what is very
/// near is taken for a mistake: administrators define names of their own, and
/// transports have parameters named after them.
fn misspelt(name: &str) -> Option<&'static str> {
    if postfix::parameter(name).is_some() || postfix::may_be_of_service(name) {
        return None;
    }
    let meant = nearest(name, postfix::parameters().map(|it| it.name))?;
    (strsim::damerau_levenshtein(name, meant) <= 2).then_some(meant)
}

fn table(reader: &mut Reader, field: Field<'_>) -> Table {
    const KNOWN: &[&str] = &["path", "type", "parameter"];
    let mut table = Table { span: Some(field.key), ..Table::default() };
    for field in reader.fields(field.value, "table") {
        match field.name {
            "path" => {
                let Some(path) = reader.text(field.value, "path") else { continue };
                let outside = path.value.split('/').any(|it| matches!(it, "" | "." | ".."));
                let unfit = |it: char| {
                    it.is_whitespace()
                        || it.is_control()
                        || matches!(it, ',' | '$' | '{' | '}' | ':')
                };
                let reserved = ["main.cf", "master.cf", "postls.yaml"].contains(&path.value);
                if outside || reserved || path.value.ends_with('/') || path.value.contains(unfit) {
                    let text = "the table must be a file of its own inside the configuration directory, \
                                its name without blanks, commas, colons, \"$\" and braces";
                    reader.note(ProblemKind::Value, path.span, text);
                    continue;
                }
                path.value.clone_into(&mut table.path);
            }
            "type" => {
                let Some(kind) = reader.text(field.value, "type") else { continue };
                if kind.value != "default" && !TABLE_TYPES.contains(&kind.value) {
                    let text =
                        format!("postls writes no tables of type \"{}\"", shortened(kind.value));
                    reader.note(ProblemKind::Value, kind.span, text).help =
                        Some(format!("default, {}", TABLE_TYPES.join(", ")));
                    continue;
                }
                table.kind = (kind.value != "default").then(|| kind.value.to_owned());
            }
            "parameter" => {
                const LISTS: &[&str] = &["smtp_tls_policy_maps", "lmtp_tls_policy_maps"];
                let Some(parameter) = reader.text(field.value, "parameter") else { continue };
                if !LISTS.contains(&parameter.value) {
                    let text =
                        format!("\"{}\" lists no TLS policy tables", shortened(parameter.value));
                    reader.note(ProblemKind::Value, parameter.span, text).help =
                        Some(LISTS.join(" or "));
                    continue;
                }
                parameter.value.clone_into(&mut table.parameter);
            }
            _ => reader.unknown_key(field, "table", KNOWN),
        }
    }
    table
}

/// Notes each place that is not UTF-8, and gives back a text of the same
/// length that is, so that the rest can be read.
fn ascii_of_invalid(
    reader: &mut Reader,
    source: SourceId,
    bytes: &[u8],
) -> std::borrow::Cow<'static, str> {
    const MAX_NOTED: usize = 20;
    let mut text = String::with_capacity(bytes.len());
    let mut noted = 0;
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        let bad = chunk.invalid();
        if !bad.is_empty() && noted < MAX_NOTED {
            noted += 1;
            let span = Span::new(source, text.len()..text.len() + bad.len());
            reader.note(ProblemKind::Syntax, span, "this is not UTF-8").help =
                Some("a policy file is UTF-8 text".to_owned());
        }
        text.extend(bad.iter().map(|_| '?'));
    }
    text.into()
}

/// Notes tabs that indent a line; a parser says about them only that it is lost.
fn note_tabs(reader: &mut Reader, source: SourceId, text: &str) -> bool {
    let mut found = false;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        let rest = line[indent..].trim_end();
        if line[..indent].contains('\t') && !rest.is_empty() && !rest.starts_with('#') {
            found = true;
            reader
                .note(
                    ProblemKind::Syntax,
                    Span::new(source, at..at + indent + rest.len()),
                    "a tab indents this line",
                )
                .help = Some("YAML indents with spaces only".to_owned());
        }
        at += line.len();
    }
    found
}

fn owned(texts: Vec<Placed<&str>>) -> Vec<Placed<String>> {
    let own = |it: Placed<&str>| Placed { value: it.value.to_owned(), span: it.span };
    texts.into_iter().map(own).collect()
}
