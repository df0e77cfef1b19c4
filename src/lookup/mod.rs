//! Lookup tables: what one answers when a daemon asks it for a key.
//!
//! Nothing is read here: [`files`] says which files a table is made of, and whoever opens the table
//! brings their bytes. What a row that Postfix skips is worth saying is kept as a [`Problem`].
//!
//! Known limits: an indexed table is what postmap would make of its source file, even where the
//! indexed file is older; files that a package's dynamicmaps.cf brings types from are not read.

mod cidr;
mod ere;
mod open;
mod patterns;
mod pcre;
mod reference;
mod replacement;
mod rows;

use std::borrow::Cow;

pub use reference::{Content, TableProblem, TableReference, Why};

use crate::postfix::{Reads, Version, table_type};
use crate::text::{SourceId, Span, fold};
use cidr::Networks;
use open::Opening;
use patterns::Patterns;
use rows::{Keys, Rows};

/// Who opens a table, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reader {
    /// Its Postfix.
    pub version: Version,
    /// smtputf8_enable, in a Postfix that was built with it.
    pub utf8: bool,
    /// What it does with a second row for a key in a texthash table.
    pub duplicates: Duplicates,
}

/// What is done with a second row for a key in a texthash table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    /// The table cannot be used, as for a daemon.
    Refused,
    /// It is left out with a warning, as in `postmap -q`.
    Skipped,
}

/// A lookup table that can be asked.
#[derive(Debug)]
pub struct Table<'s> {
    reader: Reader,
    content: Inside<'s>,
    keys: Asked,
    /// What Postfix warns about when it opens the table.
    pub problems: Vec<Problem>,
}

/// What a table answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has no such key.
    NotFound,
    /// A value.
    Found {
        /// The value; may be empty, which [`find`] does not take.
        value: Vec<u8>,
        /// The rows that it comes from; none where they stand in a value of main.cf.
        places: Vec<Span>,
    },
    /// The lookup fails, and what needs it has to wait: why.
    Error(String),
    /// Only a running Postfix knows: why.
    AtRunTime(String),
}

/// Something in a table that Postfix warns about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The row; `None` where it stands in a value of main.cf.
    pub place: Option<Span>,
    /// Postfix's own words.
    pub what: String,
}

/// What Postfix says of a first line that begins with white space.
pub const ORPHAN: &str = "logical line must not start with whitespace";

/// Whether keys are folded before a table is asked (`DICT_FLAG_FIXED`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Folded,
    AsTheyAre,
}

#[derive(Debug)]
enum Inside<'s> {
    /// One value for all keys.
    Value(Vec<u8>),
    /// Keys and values in main.cf.
    Pairs(Vec<(Vec<u8>, Vec<u8>)>),
    Rows(Rows<'s>, Keys),
    Patterns(Patterns, Rows<'s>),
    Networks(Networks, Rows<'s>),
    /// All that they have.
    Union(Vec<Table<'s>>),
    /// What one says is the key for the next.
    Pipe(Vec<Table<'s>>),
    Nothing,
    Error(String),
    AtRunTime(String),
}

/// A file's bytes, or why there are none.
pub type Opened<'s> = Result<(SourceId, &'s [u8]), String>;

/// A value and its row; `None` where it stands in a value of main.cf.
pub type FixedValue<'t> = (&'t [u8], Option<Span>);

/// The files that tables of a list are read from, as they are named.
pub fn files(reference: &[u8], version: Version) -> Vec<&[u8]> {
    let table = TableReference::parse(reference, 0..reference.len(), version);
    let mut found = Vec::new();
    collect_files(reference, &table, &mut found);
    found
}

fn collect_files<'r>(text: &'r [u8], table: &TableReference, found: &mut Vec<&'r [u8]>) {
    match (&table.content, reads(text, table)) {
        (Content::Name, Some(Reads::Index | Reads::TextFile | Reads::Patterns))
            if table.problem.is_none() =>
        {
            found.push(&text[table.name.clone()]);
        }
        (Content::Tables(members), _) => {
            for member in members {
                collect_files(text, member, found);
            }
        }
        _ => {}
    }
}

fn reads(text: &[u8], table: &TableReference) -> Option<Reads> {
    let name = str::from_utf8(&text[table.table_type.clone()]).ok()?;
    table_type(name).map(|it| it.reads)
}

/// Asks tables in order for keys, each for itself (`maps_find`).
pub fn find(tables: &[Table<'_>], keys: &[&[u8]]) -> Vec<Answer> {
    let mut answers = vec![Answer::NotFound; keys.len()];
    for table in tables {
        let open: Vec<usize> = (0..keys.len())
            .filter(|it| answers[*it] == Answer::NotFound && !keys[*it].is_empty())
            .collect();
        let asked: Vec<&[u8]> = open.iter().map(|it| keys[*it]).collect();
        for (index, answer) in open.into_iter().zip(table.ask_all(&asked)) {
            answers[index] = match answer {
                Answer::Found { value, .. } if value.is_empty() => {
                    Answer::Error("an empty string result is not allowed".into())
                }
                answer => answer,
            };
        }
    }
    answers
}

/// The keys and values that a program gets from a table's source, read as texthash
/// (`util/dict_thash.c`), in the order of the file; of equal keys the first.
/// `utf8`: smtputf8_enable.
pub fn texthash(bytes: &[u8], version: Version, utf8: bool) -> Vec<(Vec<u8>, Vec<u8>)> {
    rows::all(bytes, Reader { version, utf8, duplicates: Duplicates::Skipped }.keys_in_memory())
}

impl Reader {
    /// How keys are kept that a program reads into its memory.
    fn keys_in_memory(self) -> Keys {
        // From 3.11 on Postfix fills such a table without its layer for UTF-8.
        if self.utf8 && self.version < Version::new(3, 11) { Keys::Unicode } else { Keys::Ascii }
    }

    /// How keys are kept that postmap writes.
    fn keys_in_index(self) -> Keys {
        if self.utf8 { Keys::Unicode } else { Keys::Ascii }
    }
}

impl<'s> Table<'s> {
    /// Opens the table that a list of tables names, `type:name`. `file` gives the bytes of each of its
    /// [`files`].
    pub fn open(
        reference: &[u8],
        reader: Reader,
        file: &mut dyn FnMut(&[u8]) -> Opened<'s>,
    ) -> Table<'s> {
        let table = TableReference::parse(reference, 0..reference.len(), reader.version);
        Opening { text: reference, reader, file }.open(&table)
    }

    /// What it answers.
    pub fn ask(&self, key: &[u8]) -> Answer {
        self.ask_all(&[key]).pop().unwrap_or(Answer::NotFound)
    }

    /// What it answers for each key; a large table is read once for all of them.
    pub fn ask_all(&self, keys: &[&[u8]]) -> Vec<Answer> {
        let utf8 = self.reader.utf8;
        let is_text = |key: &&&[u8]| !utf8 || str::from_utf8(key).is_ok();
        let folded: Vec<Cow<'_, [u8]>> =
            keys.iter().filter(is_text).map(|it| self.fold(it)).collect();
        let folded: Vec<&[u8]> = folded.iter().map(|it| &it[..]).collect();
        let mut answers = self.content.ask_all(&folded).into_iter();
        // Of a key that is not UTF-8, Postfix warns, and has no such key.
        let mut answer = |key: &&[u8]| {
            if is_text(&key) { answers.next() } else { None }.unwrap_or(Answer::NotFound)
        };
        let checked = |answer| match answer {
            Answer::Found { value, .. } if utf8 && str::from_utf8(&value).is_err() => {
                Answer::Error("non-UTF-8 value".into())
            }
            answer => answer,
        };
        keys.iter().map(|key| checked(answer(key))).collect()
    }

    /// The values that a table gives as they stand in it, with their rows; those of rows and
    /// indexed tables, and what patterns put together, are not among them. `Err`: only a running
    /// Postfix knows, or nothing can be asked.
    pub fn fixed_values(&self) -> Result<Vec<FixedValue<'_>>, &str> {
        match &self.content {
            Inside::Error(why) | Inside::AtRunTime(why) => Err(why),
            Inside::Value(value) => Ok(vec![(value, None)]),
            Inside::Pairs(pairs) => Ok(pairs.iter().map(|(_, value)| (&value[..], None)).collect()),
            Inside::Patterns(patterns, rows) => {
                let values = patterns.fixed_values();
                Ok(values.map(|(value, range)| (value, rows.span(range))).collect())
            }
            Inside::Networks(networks, rows) => {
                let values = networks.values();
                Ok(values.map(|(value, range)| (value, rows.span(range))).collect())
            }
            Inside::Rows(..) | Inside::Union(_) | Inside::Pipe(_) | Inside::Nothing => {
                Ok(Vec::new())
            }
        }
    }

    fn fold<'k>(&self, key: &'k [u8]) -> Cow<'k, [u8]> {
        match (self.keys, &self.content) {
            (Asked::Folded, _) if self.reader.utf8 => fold(key),
            // Without UTF-8 each member does it for itself.
            (Asked::AsTheyAre, _) | (_, Inside::Union(_) | Inside::Pipe(_)) => key.into(),
            (Asked::Folded, _) => key.to_ascii_lowercase().into(),
        }
    }
}

impl Inside<'_> {
    fn ask_all(&self, keys: &[&[u8]]) -> Vec<Answer> {
        let for_all = |answer: Answer| vec![answer; keys.len()];
        let given = |value: &[u8]| Answer::Found { value: value.to_vec(), places: Vec::new() };
        match self {
            Inside::Nothing => for_all(Answer::NotFound),
            Inside::Error(why) => for_all(Answer::Error(why.clone())),
            Inside::AtRunTime(why) => for_all(Answer::AtRunTime(why.clone())),
            Inside::Value(value) => for_all(given(value)),
            Inside::Pairs(pairs) => {
                let find = |wanted: &&[u8]| pairs.iter().find(|(key, _)| key == wanted);
                let answer = |key| find(key).map_or(Answer::NotFound, |(_, value)| given(value));
                keys.iter().map(answer).collect()
            }
            Inside::Rows(rows, how) => {
                let answer = |found: Option<rows::Found>| match found {
                    None => Answer::NotFound,
                    Some(found) => Answer::Found {
                        value: found.value,
                        places: rows.span(found.range).into_iter().collect(),
                    },
                };
                rows.find(keys, *how).into_iter().map(answer).collect()
            }
            Inside::Patterns(patterns, rows) => {
                keys.iter().map(|key| patterns.ask(key, rows)).collect()
            }
            Inside::Networks(networks, rows) => {
                keys.iter().map(|key| networks.ask(key, rows)).collect()
            }
            Inside::Union(tables) => {
                let mut whole = for_all(Answer::NotFound);
                for table in tables {
                    let answers = table.ask_all(keys).into_iter();
                    whole = whole.into_iter().zip(answers).map(|(a, b)| united(a, b)).collect();
                }
                whole.into_iter().map(without_emptiness).collect()
            }
            Inside::Pipe(tables) => keys.iter().map(|key| piped(tables, key)).collect(),
        }
    }
}

/// What a unionmap makes of the answers of two.
fn united(before: Answer, next: Answer) -> Answer {
    match (before, next) {
        // Whatever the others say, the lookup fails.
        (Answer::Error(why), _) | (_, Answer::Error(why)) => Answer::Error(why),
        (Answer::AtRunTime(why), _) | (_, Answer::AtRunTime(why)) => Answer::AtRunTime(why),
        (Answer::NotFound, other) | (other, Answer::NotFound) => other,
        (
            Answer::Found { mut value, mut places },
            Answer::Found { value: more, places: more_places },
        ) => {
            if !value.is_empty() {
                value.push(b',');
            }
            value.extend(more);
            places.extend(more_places);
            Answer::Found { value, places }
        }
    }
}

fn without_emptiness(answer: Answer) -> Answer {
    match answer {
        Answer::Found { value, .. } if value.is_empty() => Answer::NotFound,
        answer => answer,
    }
}

fn piped(tables: &[Table<'_>], key: &[u8]) -> Answer {
    let mut key = key.to_vec();
    let mut passed = Vec::new();
    for table in tables {
        match table.ask(&key) {
            Answer::Found { value, places } => {
                key = value;
                passed.extend(places);
            }
            answer => return answer,
        }
    }
    Answer::Found { value: key, places: passed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Sources;

    fn answer(reference: &str, file: &str, duplicates: Duplicates, key: &str) -> Answer {
        let reader = Reader { version: Version::NEWEST, utf8: true, duplicates };
        let mut sources = Sources::default();
        let id = sources.add("file", file.as_bytes().to_vec());
        let bytes = sources.source(id).bytes();
        let table = Table::open(reference.as_bytes(), reader, &mut |name| match name {
            b"file" => Ok((id, bytes)),
            _ => Err("there is no such file".into()),
        });
        find(&[table], &[key.as_bytes()]).remove(0)
    }

    /// The first row was seen in a lab: smtp(8) defers.
    #[test]
    fn a_daemon_does_not_take_a_key_twice() {
        let ask = |kind: &str, duplicates| {
            let answer = answer(&format!("{kind}:file"), "a 1\nb 2\n\nA 3\n", duplicates, "b");
            format!("{answer:?}")
        };
        assert_eq!(ask("texthash", Duplicates::Refused), "Error(\"line 4: duplicate entry\")");
        assert!(ask("texthash", Duplicates::Skipped).starts_with("Found"));
        assert!(ask("hash", Duplicates::Refused).starts_with("Found"));
    }

    #[test]
    fn what_cannot_be_known_is_said() {
        for (reference, want) in [
            (
                "socketmap:unix:/run/x:name",
                "AtRunTime(\"decided at run time by socketmap:unix:/run/x:name\")",
            ),
            ("proxy:ldap:/etc/x", "AtRunTime(\"decided at run time by ldap:/etc/x\")"),
            ("unionmap:{tcp:h:1, static:x}", "AtRunTime(\"decided at run time by tcp:h:1\")"),
            ("unionmap:{tcp:h:1, fail:x}", "Error(\"fail: answers each lookup with an error\")"),
            ("pipemap:{inline:{b=c}, tcp:h:1}", "NotFound"),
            ("randmap:{a, b}", "AtRunTime(\"decided at run time by randmap:{a, b}\")"),
            ("static:{}", "Error(\"an empty string result is not allowed\")"),
            ("hsah:file", "Error(\"unsupported dictionary type: hsah\")"),
            ("texthash:none", "Error(\"open database none: there is no such file\")"),
        ] {
            let answer = answer(reference, "", Duplicates::Refused, "a");
            assert_eq!(format!("{answer:?}"), want, "{reference}");
        }
    }

    #[test]
    fn files_of_members_are_named() {
        let text =
            b"unionmap:{proxy:hash:/a, pipemap:{regexp:/b, pcre:{{/x/ y}}}, ldap:/c, cidr:/d}";
        assert_eq!(files(text, Version::NEWEST), [b"/a", b"/b", b"/d"]);
    }
}
