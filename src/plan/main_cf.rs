//! main.cf with the parameters of the policy file, and every other byte as it was.
//!
//! A value is replaced where it stands; comments between its lines stay. A
//! parameter that must not be set loses its lines. A new one goes behind the
//! last relative (`smtp_tls_…` behind `smtp_tls_…`), else to the end.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use super::meaning::ParameterChange;
use crate::config::{Configuration, TableKind};
use crate::policy::{Policies, Table};
use crate::syntax::lists::{self, COMMA_SPACE};
use crate::syntax::main_cf::Kind;
use crate::text::{Edit, Edits, Span};

/// Why no plan can be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unplannable {
    /// Two changes of the same bytes; main.cf is written in a way that postls does not understand.
    Overlap {
        /// The parameter.
        parameter: String,
    },
}

impl fmt::Display for Unplannable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unplannable::Overlap { parameter } => {
                write!(f, "main.cf: cannot change {parameter} without touching another change")
            }
        }
    }
}

/// The edits of main.cf, and what they mean. `table`: the lookup table type of the table that is
/// listed, and what main.cf may call it.
pub(super) fn edit(
    configuration: &Configuration<'_>,
    policies: &Policies,
    table: Option<(&str, &[String])>,
) -> Result<(Edits, Vec<ParameterChange>), Unplannable> {
    let mut editor = Editor {
        configuration,
        edits: Vec::new(),
        insertions: BTreeMap::new(),
        changes: Vec::new(),
    };
    for parameter in &policies.parameters {
        match &parameter.value {
            Some(value) => editor.set(&parameter.name.value, &value.value),
            None => editor.unset(&parameter.name.value),
        }
    }
    if let Some((kind, names)) = table {
        editor.list_table(&policies.table, kind, names);
    }
    editor.finish()
}

/// Whether a word of a table list means the file that postls writes, which
/// main.cf can call by any of `names`; if so, its lookup table type.
fn own_kind(configuration: &Configuration<'_>, word: &[u8], names: &[String]) -> Option<String> {
    let word = configuration.expand(word).ok()?;
    let word = String::from_utf8_lossy(&word);
    let (kind, name) = word.strip_prefix("proxy:").unwrap_or(&word).split_once(':')?;
    let is_own = TableKind::of(kind) != TableKind::Other && names.iter().any(|it| it == name);
    is_own.then(|| kind.to_owned())
}

struct Editor<'c> {
    configuration: &'c Configuration<'c>,
    edits: Vec<(String, Edit)>,
    /// New lines, by the offset where they go; several may go to one place.
    insertions: BTreeMap<usize, Vec<u8>>,
    changes: Vec<ParameterChange>,
}

impl Editor<'_> {
    fn set(&mut self, name: &str, value: &str) {
        let Some(setting) = self.configuration.setting(name) else {
            self.insert(name, value);
            self.changed(name, None, Some(value.to_owned()));
            return;
        };
        self.drop_earlier(name);
        let old = String::from_utf8_lossy(setting.value().text()).into_owned();
        if !old.split_ascii_whitespace().eq(value.split_ascii_whitespace()) {
            self.replace_value(name, value);
        }
    }

    /// Writes a value where the one that counts stands.
    fn replace_value(&mut self, name: &str, value: &str) {
        let Some(setting) = self.configuration.setting(name) else { return };
        let old = String::from_utf8_lossy(setting.value().text()).into_owned();
        let pieces = setting.entry().value_pieces(self.configuration.bytes());
        for (index, range) in pieces.into_iter().enumerate() {
            let edit = if index == 0 {
                let at_equals = range.is_empty() && !self.ends_with_blank(range.start);
                self.replace(range, if at_equals { format!(" {value}") } else { value.to_owned() })
            } else {
                self.replace(self.whole_line(range), String::new())
            };
            self.edits.push((name.to_owned(), edit));
        }
        self.changed(name, Some(old), Some(value.to_owned()));
    }

    /// Removes the entries of a parameter that have no effect: the policy file
    /// owns it, and two values of one parameter are an error.
    fn drop_earlier(&mut self, name: &str) {
        let all = self.all_entries(name);
        let Some((_, earlier)) = all.split_last() else { return };
        for lines in earlier {
            self.remove(name, lines);
        }
    }

    /// The lines of each entry of a parameter.
    fn all_entries(&self, name: &str) -> Vec<Vec<Range<usize>>> {
        let all = self.configuration.all_settings().filter(|it| it.name() == name.as_bytes());
        all.map(|it| it.entry().lines(self.configuration.bytes())).collect()
    }

    fn remove(&mut self, name: &str, lines: &[Range<usize>]) {
        for range in lines {
            let edit = self.replace(range.clone(), String::new());
            self.edits.push((name.to_owned(), edit));
        }
    }

    fn unset(&mut self, name: &str) {
        let Some(setting) = self.configuration.setting(name) else { return };
        self.changed(
            name,
            Some(String::from_utf8_lossy(setting.value().text()).into_owned()),
            None,
        );
        for lines in self.all_entries(name) {
            self.remove(name, &lines);
        }
    }

    /// Puts the table that postls writes first in its list; other tables stay. Where it is listed
    /// already, once and with its type, the list is as its administrator wants it.
    fn list_table(&mut self, table: &Table, kind: &str, names: &[String]) {
        let parameter = table.parameter.as_str();
        let own = format!("{kind}:$config_directory/{}", table.path);
        let Some(setting) = self.configuration.setting(parameter) else {
            self.insert(parameter, &own);
            self.changed(parameter, None, Some(own));
            return;
        };
        self.drop_earlier(parameter);
        let value = setting.value();
        let text = value.text();
        if self.own_kinds(text, names) == [kind] {
            return;
        }
        let words: Vec<Range<usize>> = lists::words(text, COMMA_SPACE).collect();
        let Some(first) = words.first() else {
            self.replace_value(parameter, &own);
            return;
        };
        let as_text =
            |word: &Range<usize>| String::from_utf8_lossy(&text[word.clone()]).into_owned();
        let kind_of =
            |word: &Range<usize>| own_kind(self.configuration, &text[word.clone()], names);
        let mut result = vec![own.clone()];
        let mut edits = Vec::new();
        match kind_of(first) {
            Some(is) if is == kind => result = vec![as_text(first)],
            Some(_) => edits.push(self.replace(value.locate(first.clone()), own)),
            None => {
                let separator = if text.contains(&b',') { ", " } else { " " };
                let at = value.locate(first.clone()).start;
                edits.push(self.replace(at..at, format!("{own}{separator}")));
                result.push(as_text(first));
            }
        }
        for (index, word) in words.iter().enumerate().skip(1) {
            if kind_of(word).is_none() {
                result.push(as_text(word));
                continue;
            }
            // With the separator before it, as far as that is on the same line.
            let before = value.locate(words[index - 1].clone()).end;
            let range = value.locate(word.clone());
            let same_line = !self.configuration.bytes()[before..range.start].contains(&b'\n');
            let range = if same_line { before..range.end } else { range };
            edits.push(self.replace(range, String::new()));
        }
        if !edits.is_empty() {
            let old = String::from_utf8_lossy(text).into_owned();
            self.edits.extend(edits.into_iter().map(|edit| (parameter.to_owned(), edit)));
            self.changed(parameter, Some(old), Some(result.join(" ")));
        }
    }

    /// The lookup table types with which a list names the file that postls writes, also where it
    /// does so in a parameter of its own.
    fn own_kinds(&self, list: &[u8], names: &[String]) -> Vec<String> {
        let list = self.configuration.expand(list).unwrap_or_default();
        let words = lists::words(&list, COMMA_SPACE);
        words.filter_map(|it| own_kind(self.configuration, &list[it], names)).collect()
    }

    fn insert(&mut self, name: &str, value: &str) {
        let at = self.place_for(name);
        let line =
            if value.is_empty() { format!("{name} =\n") } else { format!("{name} = {value}\n") };
        self.insertions.entry(at).or_default().extend_from_slice(line.as_bytes());
    }

    /// Behind the last entry that shares the most words of its name, at least two.
    fn place_for(&self, name: &str) -> usize {
        let shared = |other: &[u8]| {
            let (a, b) = (name.split('_'), other.split(|byte| *byte == b'_'));
            a.zip(b).take_while(|(a, b)| a.as_bytes() == *b).count()
        };
        let groups = self.configuration.main_cf().groups.iter();
        let entries = groups.filter_map(|group| match &group.kind {
            Kind::Entry(entry) => {
                Some((shared(&self.configuration.bytes()[entry.name.clone()]), group.range.end))
            }
            Kind::Trivia | Kind::MissingEquals | Kind::MissingName | Kind::Orphan => None,
        });
        // `max_by_key` takes the last of equals.
        let best = entries.max_by_key(|(words, _)| *words).filter(|(words, _)| *words >= 2);
        best.map_or(self.configuration.bytes().len(), |(_, end)| end)
    }

    fn finish(mut self) -> Result<(Edits, Vec<ParameterChange>), Unplannable> {
        let bytes = self.configuration.bytes();
        for (at, mut lines) in std::mem::take(&mut self.insertions) {
            if at > 0 && bytes[at - 1] != b'\n' {
                lines.insert(0, b'\n');
            }
            let span = self.span(at..at);
            // A value that was empty may be filled at the same place, the end of the file.
            match self.edits.iter_mut().find(|(_, edit)| edit.span == span) {
                Some((_, edit)) => edit.text.extend_from_slice(&lines),
                None => self.edits.push(("a new parameter".to_owned(), Edit::new(span, lines))),
            }
        }
        let mut edits = Edits::default();
        for (parameter, edit) in self.edits {
            if !edits.add(edit) {
                return Err(Unplannable::Overlap { parameter });
            }
        }
        Ok((edits, self.changes))
    }

    fn changed(&mut self, name: &str, old: Option<String>, new: Option<String>) {
        self.changes.push(ParameterChange { name: name.to_owned(), old, new });
    }

    fn replace(&self, range: Range<usize>, text: String) -> Edit {
        Edit::new(self.span(range), text)
    }

    fn span(&self, range: Range<usize>) -> Span {
        self.configuration.span(range)
    }

    /// The physical line around a piece of a value, its newline included.
    fn whole_line(&self, range: Range<usize>) -> Range<usize> {
        let bytes = self.configuration.bytes();
        let start = memchr::memrchr(b'\n', &bytes[..range.start]).map_or(0, |at| at + 1);
        start..crate::syntax::lines::line_end(bytes, range.start)
    }

    fn ends_with_blank(&self, at: usize) -> bool {
        self.configuration.bytes()[..at].last().is_some_and(|byte| matches!(byte, b' ' | b'\t'))
    }
}
