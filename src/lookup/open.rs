//! Opening a table: what its name holds, and the files that it is read from.

use std::ops::Range;

use super::patterns::{self, Dialect};
use super::rows::{Keys, Rows};
use super::{
    Asked, Content, Duplicates, Inside, Opened, Problem, Reader, Table, TableReference, Why,
};
use super::{cidr, reads};
use crate::postfix::{Reads, Version};
use crate::text::fold;

/// A table that is being opened.
pub(super) struct Opening<'o, 's> {
    /// The text that the places of references are in.
    pub(super) text: &'o [u8],
    /// Who opens it.
    pub(super) reader: Reader,
    /// Gives the bytes of a file.
    pub(super) file: &'o mut dyn FnMut(&[u8]) -> Opened<'s>,
}

impl<'s> Opening<'_, 's> {
    /// Opens it with its members.
    pub(super) fn open(&mut self, table: &TableReference) -> Table<'s> {
        let mut problems = Vec::new();
        let content = self.content(table, &mut problems).unwrap_or_else(Inside::Error);
        let keys = match (&content, reads(self.text, table)) {
            // The first one says it for all.
            (Inside::Union(members) | Inside::Pipe(members), _) => {
                members.first().map_or(Asked::AsTheyAre, |it| it.keys)
            }
            (Inside::Error(_), _) | (_, Some(Reads::Patterns | Reads::Values) | None) => {
                Asked::AsTheyAre
            }
            (_, Some(_)) => Asked::Folded,
        };
        Table { reader: self.reader, content, keys, problems }
    }

    fn content(
        &mut self,
        table: &TableReference,
        problems: &mut Vec<Problem>,
    ) -> Result<Inside<'s>, String> {
        let shown =
            |range: &Range<usize>| String::from_utf8_lossy(&self.text[range.clone()]).into_owned();
        if let Some(problem) = &table.problem {
            return Err(match problem.why {
                Why::NoType | Why::NoName => "it is not type:name".into(),
                Why::UnknownType => format!("unsupported dictionary type: {}", shown(&problem.at)),
                Why::Name(why) => format!("bad syntax: {why}"),
            });
        }
        let word = shown(&table.table_type);
        let whole = format!("{word}:{}", shown(&table.name));
        let at_run_time = || Ok(Inside::AtRunTime(format!("decided at run time by {whole}")));
        let Some(reads) = reads(self.text, table) else { return at_run_time() };
        match (reads, &table.content) {
            (Reads::Tables, Content::Tables(members)) => {
                let mut tables: Vec<Table<'s>> = members.iter().map(|it| self.open(it)).collect();
                for table in &mut tables {
                    problems.append(&mut table.problems);
                }
                Ok(if word == "pipemap" { Inside::Pipe(tables) } else { Inside::Union(tables) })
            }
            (Reads::Value, Content::Values(values)) => {
                Ok(Inside::Value(self.text[values[0].clone()].to_vec()))
            }
            (Reads::Values, Content::Values(values)) => match values.as_slice() {
                [value] => Ok(Inside::Value(self.text[value.clone()].to_vec())),
                _ => at_run_time(),
            },
            (Reads::Pairs, Content::Pairs(pairs)) => self.pairs(table, pairs),
            (Reads::Patterns, Content::Patterns(patterns)) => {
                let rows: Vec<&[u8]> = patterns.iter().map(|it| &self.text[it.clone()]).collect();
                let bytes = [rows.join(&b'\n'), b"\n".to_vec()].concat();
                let rows = Rows { source: None, bytes: bytes.into() };
                Ok(patterns_of(&word, rows, self.reader.version, problems))
            }
            (Reads::Patterns, _) => {
                let rows = self
                    .rows(table)
                    .map_err(|why| format!("open {}: {why}", shown(&table.name)))?;
                Ok(patterns_of(&word, rows, self.reader.version, problems))
            }
            (Reads::TextFile, _) => {
                let name = shown(&table.name);
                let rows =
                    self.rows(table).map_err(|why| format!("open database {name}: {why}"))?;
                self.texthash(rows)
            }
            (Reads::Index, _) => Ok(match self.rows(table) {
                Ok(rows) => Inside::Rows(rows, self.reader.keys_in_index()),
                Err(why) => Inside::AtRunTime(format!(
                    "decided at run time by {whole}: its source file cannot be read: {why}"
                )),
            }),
            (Reads::Nothing, _) if word == "fail" => {
                Err("fail: answers each lookup with an error".into())
            }
            (Reads::Nothing, _) if word == "internal" => Ok(Inside::Nothing),
            _ => at_run_time(),
        }
    }

    fn rows(&mut self, table: &TableReference) -> Result<Rows<'s>, String> {
        let (source, bytes) = (self.file)(&self.text[table.name.clone()])?;
        Ok(Rows { source: Some(source), bytes: bytes.into() })
    }

    fn texthash(&self, rows: Rows<'s>) -> Result<Inside<'s>, String> {
        let keys = self.reader.keys_in_memory();
        if self.reader.duplicates == Duplicates::Refused
            && let Some((_, second)) = rows.duplicate(keys)
        {
            return Err(format!("line {}: duplicate entry", rows.line(&second)));
        }
        Ok(Inside::Rows(rows, keys))
    }

    /// The last row of a key counts.
    fn pairs(
        &self,
        table: &TableReference,
        pairs: &[(Range<usize>, Range<usize>)],
    ) -> Result<Inside<'s>, String> {
        if self.reader.utf8 && str::from_utf8(&self.text[table.name.clone()]).is_err() {
            return Err("bad UTF-8 syntax".into());
        }
        let pair = |(key, value): &(Range<usize>, Range<usize>)| {
            let key = &self.text[key.clone()];
            let key = match self.reader.keys_in_memory() {
                Keys::Unicode => fold(key).into_owned(),
                Keys::Ascii => key.to_ascii_lowercase(),
            };
            (key, self.text[value.clone()].to_vec())
        };
        Ok(Inside::Pairs(pairs.iter().rev().map(pair).collect()))
    }
}

fn patterns_of<'s>(
    word: &str,
    rows: Rows<'s>,
    version: Version,
    problems: &mut Vec<Problem>,
) -> Inside<'s> {
    match word {
        "cidr" => Inside::Networks(cidr::read(&rows, version, problems), rows),
        "pcre" => Inside::Patterns(patterns::read(&rows, Dialect::Perl, version, problems), rows),
        _ => Inside::Patterns(patterns::read(&rows, Dialect::Posix, version, problems), rows),
    }
}
