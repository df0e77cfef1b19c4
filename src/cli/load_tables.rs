//! The source files of the lookup tables that main.cf and master.cf name.
//!
//! A table that cannot be read is left out and named among what was not checked.

use std::collections::HashSet;
use std::path::Path;

use super::Stop;
use super::load::{DEFAULT_DIRECTORY, Loader, Place, name_in};
use super::load_policies::ListedTable;
use crate::config::{
    Configuration, Effective, Grammar, LookupTable, Services, TableFile, TableKind, TableName,
    holds_passwords, routes_mail,
};
use crate::postfix::Build;
use crate::text::SourceId;

/// The tables that nobody asks for policies.
#[derive(Default)]
pub(super) struct OtherTables {
    /// Those that say where mail goes, and how.
    pub(super) lookups: Vec<LookupTable>,
    /// Those of patterns and networks, `type:name`.
    pub(super) patterns: Vec<(SourceId, String)>,
    /// The names of alias files.
    pub(super) aliases: Vec<String>,
}

/// What is wanted of the tables that main.cf and the services of master.cf name.
struct Wanted {
    /// Those that say where mail goes, and whether they hold passwords.
    lookups: Vec<(Vec<u8>, TableName, bool)>,
    /// The files of all.
    files: Vec<TableFile>,
}

impl Loader<'_> {
    /// The tables that main.cf and the services of master.cf name, each once; those of rows are
    /// added to `tables`, where they are not there yet.
    pub(super) fn lookups(
        &mut self,
        main_cf: SourceId,
        master_cf: Option<SourceId>,
        build: &Build,
        tables: &mut Vec<ListedTable>,
    ) -> OtherTables {
        let wanted = self.wanted(main_cf, master_cf, build);
        let mut found = OtherTables::default();
        let mut tried = HashSet::new();
        for (text, table, is_secret) in wanted.lookups {
            let source = self.lookup(&table, is_secret);
            tried.insert(table.text.clone());
            found.lookups.extend(source.map(|source| LookupTable {
                text,
                source,
                kind: table.kind,
            }));
        }
        for file in wanted.files {
            if file.grammar == Grammar::Aliases {
                self.skip_table(&named(&file), "postls does not read alias files yet");
                found.aliases.push(file.name().to_owned());
                continue;
            }
            let Some(source) = self.source_of(&file, &tried) else { continue };
            match file.grammar {
                Grammar::Rows(kind) => {
                    if !tables.iter().any(|it| it.0 == source && it.1 == kind) {
                        tables.push((source, kind, Vec::new()));
                    }
                }
                Grammar::Patterns => found.patterns.push((source, file.text)),
                Grammar::Aliases => {}
            }
        }
        found
    }

    fn wanted(&self, main_cf: SourceId, master_cf: Option<SourceId>, build: &Build) -> Wanted {
        let configuration = Configuration::new(&self.sources, main_cf, build.clone());
        let services = master_cf.map(|it| Services::new(&self.sources, it));
        let effective = Effective::new(&configuration, services.as_ref());
        let mut seen = HashSet::new();
        let mut lookups = Vec::new();
        for table in effective.table_uses(&self.sources) {
            if !routes_mail(&table.parameter) || !seen.insert(table.text.clone()) {
                continue;
            }
            let is_policy = table.parameter.ends_with("_tls_policy_maps");
            let part = |range| String::from_utf8_lossy(&table.text[range]).into_owned();
            let name = TableName {
                text: part(0..table.text.len()),
                kind: TableKind::of(&part(table.reference.table_type.clone())),
                name: part(table.reference.name.clone()),
                span: None,
            };
            // Of policy tables of other kinds the values are judged, and what cannot be known is said.
            if !(is_policy && name.kind == TableKind::Other) {
                lookups.push((table.text.clone(), name, holds_passwords(&table.parameter)));
            }
        }
        Wanted { lookups, files: effective.table_files(&self.sources) }
    }

    fn lookup(&mut self, table: &TableName, is_secret: bool) -> Option<SourceId> {
        if table.kind == TableKind::Other {
            self.skip_table(table, "postls does not read this type of table");
            return None;
        }
        let path = match self.path(table) {
            Ok(path) => path,
            Err(why) => {
                self.skip_table(table, &why);
                return None;
            }
        };
        let source = match self.read_once(&path) {
            Ok(source) => source,
            Err(why) => {
                self.skip_table(table, &why);
                return None;
            }
        };
        if is_secret {
            self.sources.keep_secret(source);
        }
        Some(source)
    }

    /// The file of a table that may have been `tried` before.
    fn source_of(&mut self, file: &TableFile, tried: &HashSet<String>) -> Option<SourceId> {
        let table = named(file);
        let found = self.find(&table).and_then(|(path, place)| {
            let before = self.sources.iter().count();
            let source = self.read_once(&path)?;
            // Of a table that was read before, it was said.
            if place == Place::Copy && self.sources.iter().count() > before {
                self.skip(
                    &format!("other lookup tables in {DEFAULT_DIRECTORY}"),
                    "taken to be the ones here, as in a copy of it",
                );
            }
            Ok(source)
        });
        match found {
            Ok(source) => {
                if file.is_secret {
                    self.sources.keep_secret(source);
                }
                Some(source)
            }
            Err(why) => {
                if !tried.contains(&file.text) {
                    self.skip_table(&table, &why);
                }
                None
            }
        }
    }

    /// A file that is read when it is first asked for.
    fn read_once(&mut self, path: &Path) -> Result<SourceId, String> {
        let name = name_in(&self.request.directory, path);
        let shown = self.request.shown_in.join(&name);
        let known = self.sources.iter().find(|(_, it)| it.name() == shown.to_string_lossy());
        match known {
            Some((source, _)) => Ok(source),
            None => self.read(path, &name).map_err(|Stop(why)| why),
        }
    }
}

/// The table that a file belongs to.
fn named(file: &TableFile) -> TableName {
    let (text, name) = (file.text.clone(), file.name().to_owned());
    TableName { text, kind: TableKind::Other, name, span: None }
}
