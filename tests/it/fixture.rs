//! Small configurations as text: several files between `==> name <==` lines,
//! and marks under what should be found.

use postls::config::{Environment, Grammar, LookupTable, TableKind, routes_mail};
use postls::finding::Finding;
use postls::lint::{self, Context, PolicyClient, Rule};
use postls::policy::{self, Date, Policies, Problem, yaml};
use postls::postfix::Version;
use postls::text::{SourceId, Sources, Span};

/// A configuration that stands in a text.
pub(crate) struct Fixture {
    pub(crate) sources: Sources,
    policies: Option<(Policies, Vec<Problem>)>,
    /// What is said of the host, where it is looked at.
    host: Option<String>,
}

/// What a mark says: file, offsets, text.
pub(crate) type Mark = (String, std::ops::Range<usize>, String);

/// The files of a text; one without a head line is main.cf.
pub(crate) fn files(text: &str) -> Vec<(&str, &str)> {
    let text = text.strip_prefix('\n').unwrap_or(text);
    if !text.starts_with("==> ") {
        return vec![("main.cf", text)];
    }
    let parts = text.split("==> ").skip(1);
    parts.map(|part| part.split_once(" <==\n").expect("a head line is ==> name <==")).collect()
}

/// The bytes that an example means: U+FFFD stands for one that UTF-8 does not have.
pub(crate) fn bytes(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.windows(3).position(|it| it == b"\xef\xbf\xbd") {
        bytes.extend_from_slice(&rest[..at]);
        bytes.push(0xff);
        rest = &rest[at + 3..];
    }
    bytes.extend_from_slice(rest);
    bytes
}

impl Fixture {
    pub(crate) fn new(text: &str) -> Fixture {
        let files = files(text).into_iter();
        let files = files.map(|(name, text)| (name.to_owned(), bytes(text.as_bytes())));
        Fixture::of(&files.collect::<Vec<_>>())
    }

    /// The configuration of these files, by name.
    pub(crate) fn of(files: &[(String, Vec<u8>)]) -> Fixture {
        let mut sources = Sources::default();
        let (host, files): (Vec<_>, Vec<_>) = files.iter().partition(|(name, _)| name == "host");
        for (name, bytes) in files {
            sources.add(name, bytes.clone());
        }
        let policy_file = sources.iter().find(|(_, source)| source.name() == "postls.yaml");
        let policies = policy_file.map(|(id, source)| {
            let mut file = yaml::read(id, source.bytes(), yaml::Role::Main);
            file.read_pins(&mut |path| {
                let found = sources.iter().find(|(_, it)| it.name() == path);
                let found = found.ok_or_else(|| "there is no such file".to_owned())?;
                Ok(found.1.bytes().to_vec())
            });
            policy::join(vec![file])
        });
        Fixture {
            sources,
            policies,
            host: host.first().map(|it| String::from_utf8_lossy(&it.1).into_owned()),
        }
    }

    /// What rules see of it, for a Postfix version.
    pub(crate) fn context(&self, version: impl Into<Environment>) -> Context<'_> {
        let main_cf = self.source("main.cf");
        let mut context = Context::new(&self.sources, main_cf, version);
        context.today = Date::parse("2026-11-24");
        if let Some(master_cf) = self.source("master.cf") {
            context.add_services(master_cf);
        }
        let clients = context.effective().map(|it| lint::clients(&it)).unwrap_or_default();
        let mut tables: Vec<(SourceId, TableKind, Vec<PolicyClient>)> = Vec::new();
        for client in clients {
            for table in &client.tables {
                if table.kind == TableKind::Other {
                    let mut file = |name: &[u8]| {
                        let name = String::from_utf8_lossy(name).replace("$config_directory/", "");
                        let source = self.source(&name).ok_or("there is no such file")?;
                        Ok((source, self.sources.source(source).bytes()))
                    };
                    // What cannot be known is not checked.
                    let _ = context.add_values(table, &client, &mut file);
                    continue;
                }
                let name = table.name.strip_prefix("$config_directory/").unwrap_or(&table.name);
                let Some(source) = self.source(name) else { continue };
                match tables.iter_mut().find(|it| it.0 == source) {
                    Some((_, _, clients)) => clients.push(client.clone()),
                    None => tables.push((source, table.kind, vec![client.clone()])),
                }
            }
        }
        let files = context.effective().map(|it| it.table_files(&self.sources));
        for file in files.unwrap_or_default() {
            let name = file.name();
            let name = name.strip_prefix("$config_directory/").unwrap_or(name);
            let name = name.strip_prefix("/etc/postfix/").unwrap_or(name);
            let Some(source) = self.source(name) else { continue };
            match file.grammar {
                Grammar::Rows(kind) if !tables.iter().any(|it| it.0 == source && it.1 == kind) => {
                    tables.push((source, kind, Vec::new()));
                }
                Grammar::Rows(_) | Grammar::Aliases => {}
                Grammar::Patterns => context.add_patterns(source, &file.text),
            }
        }
        for (source, kind, clients) in tables {
            if kind != TableKind::Other {
                context.add_table(source, kind, clients);
            }
        }
        let tables = context.table_uses().to_vec();
        for table in tables.iter().filter(|it| routes_mail(&it.parameter)) {
            let part = |range| String::from_utf8_lossy(&table.text[range]).into_owned();
            let name = part(table.reference.name.clone());
            let kind = TableKind::of(&part(table.reference.table_type.clone()));
            let name = name.strip_prefix("$config_directory/").unwrap_or(&name);
            let source = self.source(name.strip_prefix("/etc/postfix/").unwrap_or(name));
            if let (Some(source), true) = (source, kind != TableKind::Other) {
                context.add_lookup(LookupTable { text: table.text.clone(), source, kind });
            }
        }
        if let Some((policies, problems)) = &self.policies {
            context.add_policies(policies, problems);
        }
        crate::host_part::answer(&mut context, self.host.as_deref());
        context
    }

    fn source(&self, name: &str) -> Option<SourceId> {
        self.sources.iter().find(|(_, source)| source.name() == name).map(|(id, _)| id)
    }

    /// What one rule finds, in the order of the files.
    pub(crate) fn found_by(&self, rule: &'static Rule) -> Vec<Finding> {
        lint::run_all(std::iter::once(rule), &self.context(Version::new(3, 7)))
    }

    /// Where something was found and what was said there, as a mark would say it.
    pub(crate) fn as_mark(&self, span: Span, text: &str) -> Mark {
        (self.sources.of(span).name().to_owned(), span.range(), text.to_owned())
    }

    /// The `#   ^^^^ text` comments that point at the line above, and `#   vvvv text` at the line
    /// below. A caret right behind the `#` means that the span begins in the first column.
    pub(crate) fn marks(&self) -> Vec<Mark> {
        let mut marks = Vec::new();
        for (_, source) in self.sources.iter() {
            let (mut above, mut at) = (0, 0);
            for bytes in source.bytes().split_inclusive(|it| *it == b'\n') {
                // Marks are ASCII.
                let line = str::from_utf8(bytes).unwrap_or_default();
                let carets = line.trim_start_matches(['#', ' ']);
                let caret = if carets.starts_with("vv") { 'v' } else { '^' };
                if line.starts_with('#') && carets.starts_with(caret) {
                    let indent = line.len() - carets.len();
                    let width = carets.len() - carets.trim_start_matches(caret).len();
                    let line_start = if caret == 'v' { at + bytes.len() } else { above };
                    let start = if indent == 1 { line_start } else { line_start + indent };
                    let range = start..line_start + indent + width;
                    marks.push((
                        source.name().to_owned(),
                        range,
                        carets[width..].trim().to_owned(),
                    ));
                } else {
                    above = at;
                }
                at += bytes.len();
            }
        }
        marks
    }
}
