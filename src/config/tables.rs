//! Lists of lookup tables: `type:name type:name …`.

use super::{Effective, Origin, Setting, Within};
use crate::lookup::TableReference;
use crate::postfix::{self, Reads};
use crate::syntax::lists::{self, COMMA_SPACE};
use crate::text::Span;

/// A lookup table in a parameter's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableName {
    /// The list entry as Postfix gets it: `type:name`.
    pub text: String,
    /// How Postfix reads it.
    pub kind: TableKind,
    /// What stands behind the type.
    pub name: String,
    /// The list entry in main.cf, or the whole value where it comes out of an
    /// expansion; `None` for a default.
    pub span: Option<Span>,
}

/// How Postfix reads a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TableKind {
    /// Indexed by postmap from a source file with the table's name: hash, lmdb, cdb, …
    Indexed,
    /// The source file itself, read when a daemon starts.
    Texthash,
    /// All others; postls does not read them.
    Other,
}

impl TableKind {
    /// By the word before the colon.
    pub fn of(kind: &str) -> TableKind {
        match postfix::table_type(kind).map(|it| it.reads) {
            Some(Reads::Index) => TableKind::Indexed,
            Some(Reads::TextFile) => TableKind::Texthash,
            Some(
                Reads::Patterns
                | Reads::ClientFile
                | Reads::Service
                | Reads::Socketmap
                | Reads::Accounts
                | Reads::Table
                | Reads::Tables
                | Reads::Pairs
                | Reads::Values
                | Reads::Value
                | Reads::Nothing,
            )
            | None => TableKind::Other,
        }
    }
}

impl Effective<'_> {
    /// The lookup tables in a parameter's list, in order.
    pub fn tables(&self, parameter: &str, within: Within<'_>) -> Vec<TableName> {
        let (value, origin) = self.value(parameter, within);
        let Ok(value) = value else { return Vec::new() };
        // An entry can be marked by itself only where no expansion moved it.
        let set_here = |it: &Setting<'_>| origin == Origin::Set(it.value_span());
        let setting = self.main.setting(parameter).filter(set_here);
        let as_written = setting.as_ref().map(Setting::value).filter(|it| it.text() == value);
        let version = self.main.environment.build.version;
        let table = |range: std::ops::Range<usize>| {
            let text = String::from_utf8_lossy(&value[range.clone()]).into_owned();
            // proxymap(8) reads the table for the daemon; the table is the same.
            let table = TableReference::parse(text.as_bytes(), 0..text.len(), version);
            let kind = TableKind::of(&text[table.table_type]);
            let name = text[table.name].to_owned();
            let span = match (&as_written, origin) {
                (Some(value), _) => Some(self.main.span(value.locate(range))),
                (None, Origin::Set(span)) => Some(span),
                (None, Origin::Default) => None,
            };
            TableName { text, kind, name, span }
        };
        lists::words(&value, COMMA_SPACE).map(table).collect()
    }
}
