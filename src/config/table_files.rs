//! The files that lookup tables are read from, line by line, and by which grammar.
//!
//! Known limit: two tables that share a source file are told apart by their types only, so that a
//! file that is an alias file for one parameter is one for all.

use std::collections::HashSet;

use super::{Content, Effective, TableKind, TableReference, Within, holds_passwords};
use crate::postfix::{self, Reads, TableList, table_type};
use crate::text::Sources;

/// A file that a table is read from.
#[derive(Clone, Debug)]
pub struct TableFile {
    /// The table as it is opened by itself: `type:name`.
    pub text: String,
    /// Where the name begins in it.
    name_at: usize,
    /// How its lines are read.
    pub grammar: Grammar,
    /// Whether it holds passwords.
    pub is_secret: bool,
}

/// How the lines of a table's file are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grammar {
    /// `key value`, one for each row.
    Rows(TableKind),
    /// Patterns or networks, tried in order.
    Patterns,
    /// `name: value, value`, as postalias reads it.
    Aliases,
}

impl TableFile {
    /// The word before the colon.
    pub fn table_type(&self) -> &str {
        &self.text[..self.name_at - 1]
    }

    /// What stands behind the type.
    pub fn name(&self) -> &str {
        &self.text[self.name_at..]
    }
}

impl Effective<'_> {
    /// The files of all tables that main.cf and the services of master.cf name, each table once.
    /// `sources` are those that the files stand in.
    pub fn table_files(&self, sources: &Sources) -> Vec<TableFile> {
        let version = self.main.environment.build.version;
        let aliases = self.alias_files();
        let mut found: Vec<TableFile> = Vec::new();
        for table in self.table_uses(sources) {
            // Postfix writes them; they have no source.
            let is_cache =
                postfix::parameter(&table.parameter).is_some_and(postfix::Parameter::is_cache);
            if is_cache || (table.list == TableList::MatchList && table.is_address()) {
                continue;
            }
            let is_secret = holds_passwords(&table.parameter);
            let text = String::from_utf8_lossy(&table.text);
            let reference = TableReference::parse(text.as_bytes(), 0..text.len(), version);
            let mut add = |member: &TableReference| {
                let Some(grammar) = grammar(&text, member) else { return };
                let name = &text[member.name.clone()];
                let own = format!("{}:{name}", &text[member.table_type.clone()]);
                match found.iter_mut().find(|it| it.text == own) {
                    Some(known) => known.is_secret |= is_secret,
                    None => {
                        let is_alias = aliases.contains(name) && grammar == INDEXED;
                        found.push(TableFile {
                            name_at: own.len() - name.len(),
                            text: own,
                            grammar: if is_alias { Grammar::Aliases } else { grammar },
                            is_secret,
                        });
                    }
                }
            };
            each_member(&reference, &mut add);
        }
        found
    }

    /// The names of the files that newaliases reads, or local(8) asks.
    fn alias_files(&self) -> HashSet<String> {
        let everywhere = self.scopes.iter().map(Within::Service);
        let everywhere = std::iter::once(Within::Main).chain(everywhere);
        let lists = everywhere
            .flat_map(|within| ["alias_maps", "alias_database"].map(|it| self.tables(it, within)));
        lists.flatten().filter(|it| it.kind == TableKind::Indexed).map(|it| it.name).collect()
    }
}

const INDEXED: Grammar = Grammar::Rows(TableKind::Indexed);

/// Calls `take` with a table that is one by itself, or with those that it is made of.
fn each_member(table: &TableReference, take: &mut dyn FnMut(&TableReference)) {
    match &table.content {
        Content::Tables(members) => members.iter().for_each(|it| each_member(it, take)),
        Content::Name if table.problem.is_none() => take(table),
        Content::Name | Content::Pairs(_) | Content::Values(_) | Content::Patterns(_) => {}
    }
}

/// How the file of a table is read, if it is a file that is read line by line.
fn grammar(text: &str, table: &TableReference) -> Option<Grammar> {
    let word = &text[table.table_type.clone()];
    match TableKind::of(word) {
        kind @ (TableKind::Indexed | TableKind::Texthash) => Some(Grammar::Rows(kind)),
        TableKind::Other => {
            let reads = table_type(word)?.reads;
            (reads == Reads::Patterns).then_some(Grammar::Patterns)
        }
    }
}
