//! Every lookup table that main.cf and the services of master.cf name, and where.
//!
//! Known limits: defaults are not looked at, and a value of main.cf is expanded as main.cf's own
//! programs expand it. Files that a list includes (`/file`) are not opened.

use std::collections::HashSet;
use std::net::Ipv6Addr;
use std::ops::Range;

use super::{Effective, Within};
use crate::lookup::TableReference;
use crate::postfix::{self, TableList};
use crate::syntax::lists::{self, COMMA_SPACE};
use crate::text::{Sources, Span};

/// A lookup table in a value.
#[derive(Clone, Debug)]
pub struct TableUse {
    /// The parameter whose value names it.
    pub parameter: String,
    /// How that parameter reads its value.
    pub list: TableList,
    /// The table; its places are offsets in `text`.
    pub reference: TableReference,
    /// The entry of the list, expanded; a `!` in front is not a part of it.
    pub text: Vec<u8>,
    /// Where the whole list stands.
    pub value: Span,
    place: Place,
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Here, byte for byte.
    Written(Span),
    /// Somewhere here: it comes out of an expansion, or has a comment in it.
    Within(Span),
}

/// An entry of a list.
#[derive(Debug)]
struct Word {
    text: Vec<u8>,
    place: Place,
}

/// A value and how to find its bytes.
struct Value<'v> {
    text: &'v [u8],
    span: Span,
    locate: &'v dyn Fn(Range<usize>) -> Span,
    within: Within<'v>,
}

impl TableUse {
    /// Where a part of `text` stands; all that it comes out of, where it was expanded.
    pub fn span(&self, part: Range<usize>) -> Span {
        match self.place {
            Place::Written(span) => part_of(span, part),
            Place::Within(span) => span,
        }
    }

    /// Whether the entry stands in the file as Postfix reads it.
    pub fn is_written(&self) -> bool {
        matches!(self.place, Place::Written(_))
    }

    /// A part of `text`, for a message.
    pub fn shown(&self, part: Range<usize>) -> String {
        crate::text::shortened(&String::from_utf8_lossy(&self.text[part]))
    }

    /// Whether the entry is an address or network of IPv6 that is taken for a table, since it
    /// is not in brackets.
    pub fn is_address(&self) -> bool {
        let Ok(text) = str::from_utf8(&self.text) else { return false };
        let (address, length) = text.split_once('/').unwrap_or((text, "0"));
        self.list == TableList::MatchList
            && address.parse::<Ipv6Addr>().is_ok()
            && length.parse::<u8>().is_ok_and(|it| it <= 128)
    }
}

impl Effective<'_> {
    /// The tables in main.cf, sorted by parameter, then those of services. `sources` are
    /// those that the files stand in.
    pub fn table_uses(&self, sources: &Sources) -> Vec<TableUse> {
        let mut uses = Vec::new();
        let classes = self.classes(Within::Main);
        for setting in self.main.effective_settings() {
            let Ok(name) = str::from_utf8(setting.name()) else { continue };
            let Some(list) = self.list(name, &classes) else { continue };
            let text = setting.value();
            let value = Value {
                text: text.text(),
                span: setting.value_span(),
                locate: &|range| self.main.span(text.locate(range)),
                within: Within::Main,
            };
            self.read(name, list, &value, sources, &mut uses);
        }
        for scope in &*self.scopes {
            let within = Within::Service(scope);
            let classes = self.classes(within);
            for (name, local) in scope.settings.iter().flatten() {
                let Ok(name) = str::from_utf8(name) else { continue };
                let Some(list) = self.list(name, &classes) else { continue };
                let written = sources.bytes(local.span) == local.value;
                let locate = |range| if written { part_of(local.span, range) } else { local.span };
                let value = Value { text: &local.value, span: local.span, locate: &locate, within };
                self.read(name, list, &value, sources, &mut uses);
            }
        }
        tidied(uses)
    }

    /// How a parameter of this name lists tables here.
    fn list(&self, name: &str, classes: &HashSet<Vec<u8>>) -> Option<TableList> {
        if classes.contains(name.as_bytes()) {
            return Some(TableList::Restrictions);
        }
        let build = &self.main.environment.build;
        let parameter = postfix::parameter(name);
        parameter.filter(|it| it.exists_in(build) || it.is_legacy_in(build))?.tables()
    }

    /// The names in smtpd_restriction_classes.
    fn classes(&self, within: Within<'_>) -> HashSet<Vec<u8>> {
        let (value, _) = self.value("smtpd_restriction_classes", within);
        let value = value.unwrap_or_default();
        lists::words(&value, COMMA_SPACE).map(|it| value[it].to_vec()).collect()
    }

    fn read(
        &self,
        parameter: &str,
        list: TableList,
        value: &Value<'_>,
        sources: &Sources,
        uses: &mut Vec<TableUse>,
    ) {
        let words = match list {
            TableList::One => self.whole(value, sources),
            TableList::Tables
            | TableList::MatchList
            | TableList::Restrictions
            | TableList::Words => self.words(value, sources),
        };
        let version = self.main.environment.build.version;
        let mut before: &[u8] = b"";
        // A comment is a finding of its own, and in some lists the end.
        for word in words.iter().take_while(|it| !it.text.starts_with(b"#")) {
            if let Some(part) = table_in(list, &word.text, before) {
                let text = word.text[part.clone()].to_vec();
                let reference = TableReference::parse(&text, 0..text.len(), version);
                let place = match word.place {
                    Place::Written(span) => Place::Written(part_of(span, part)),
                    within @ Place::Within(_) => within,
                };
                let parameter = parameter.to_owned();
                let value = value.span;
                uses.push(TableUse { parameter, list, reference, text, value, place });
            }
            before = &word.text;
        }
    }

    /// The value as one entry.
    fn whole(&self, value: &Value<'_>, sources: &Sources) -> Vec<Word> {
        let range = 0..value.text.len();
        let all = |text: &[u8]| std::iter::once(0..text.len()).collect();
        let words = self.expanded(value, range, sources, &all);
        words.unwrap_or_default().into_iter().filter(|it| !it.text.is_empty()).collect()
    }

    /// The entries between commas and blanks.
    fn words(&self, value: &Value<'_>, sources: &Sources) -> Vec<Word> {
        let split = |text: &[u8]| lists::words(text, COMMA_SPACE).collect::<Vec<_>>();
        // Word by word each has a place. It is what Postfix does, which expands first, unless
        // an expansion brings half of a pair of braces.
        let each: Option<Vec<Vec<Word>>> = split(value.text)
            .into_iter()
            .map(|range| self.expanded(value, range, sources, &split))
            .collect();
        let each: Option<Vec<Word>> = each.map(|it| it.into_iter().flatten().collect());
        if !value.text.contains(&b'$') {
            return each.unwrap_or_default();
        }
        let all = Value { locate: &|_| value.span, ..*value };
        let whole = self.expanded(&all, 0..value.text.len(), sources, &split).unwrap_or_default();
        let texts = |words: &[Word]| words.iter().map(|it| it.text.clone()).collect::<Vec<_>>();
        each.filter(|each| texts(each) == texts(&whole)).unwrap_or(whole)
    }

    /// The entries that come out of a part of a value; `None` if it cannot be expanded.
    fn expanded(
        &self,
        value: &Value<'_>,
        range: Range<usize>,
        sources: &Sources,
        split: &dyn Fn(&[u8]) -> Vec<Range<usize>>,
    ) -> Option<Vec<Word>> {
        let text = &value.text[range.clone()];
        let span = (value.locate)(range);
        if !text.contains(&b'$') {
            let is_there = sources.bytes(span) == text;
            let place = if is_there { Place::Written(span) } else { Place::Within(span) };
            return Some(vec![Word { text: text.to_vec(), place }]);
        }
        let text = self.expand(text, value.within).ok()?;
        let word = |it: Range<usize>| Word { text: text[it].to_vec(), place: Place::Within(span) };
        Some(split(&text).into_iter().map(word).collect())
    }
}

/// The part of an entry that is a table, if Postfix takes it for one. `before`: the entry in
/// front of it.
fn table_in(list: TableList, word: &[u8], before: &[u8]) -> Option<Range<usize>> {
    let all = 0..word.len();
    let has_colon = || word.contains(&b':');
    match list {
        TableList::Tables | TableList::One => Some(all),
        TableList::Words => has_colon().then_some(all),
        TableList::MatchList => {
            let start = word.iter().take_while(|it| **it == b'!').count();
            (!matches!(word.get(start), Some(b'/' | b'[')) && has_colon()).then_some(start..all.end)
        }
        TableList::Restrictions => {
            if before.eq_ignore_ascii_case(b"check_policy_service") {
                return None;
            }
            // `{ type:name search_order=… }`
            let part = match word.first() {
                Some(b'{') => {
                    let inner = lists::braces(word, all).0;
                    let first = lists::words(&word[inner.clone()], COMMA_SPACE).next()?;
                    inner.start + first.start..inner.start + first.end
                }
                _ => all,
            };
            let part_has_colon = word[part.clone()].contains(&b':');
            (part_has_colon || wants_table(before)).then_some(part)
        }
    }
}

/// Whether a restriction is followed by a table.
fn wants_table(restriction: &[u8]) -> bool {
    let name = restriction.to_ascii_lowercase();
    name.strip_prefix(b"check_").and_then(|it| it.strip_suffix(b"_access")).is_some_and(|about| {
        let what = [b"_ns".as_slice(), b"_mx", b"_a"];
        let what = what.iter().find_map(|it| about.strip_suffix(*it)).unwrap_or(about);
        let known: [&[u8]; 8] = [
            b"client",
            b"reverse_client_hostname",
            b"helo",
            b"sender",
            b"recipient",
            b"etrn",
            b"ccert",
            b"sasl",
        ];
        known.contains(&what)
    })
}

/// Each table once: services that share a name share their values, and what one value takes
/// over from another is shown there.
fn tidied(mut uses: Vec<TableUse>) -> Vec<TableUse> {
    let written: HashSet<Vec<u8>> =
        uses.iter().filter(|it| it.is_written()).map(|it| it.text.clone()).collect();
    let mut seen = HashSet::new();
    uses.retain(|it| {
        let span = it.span(0..it.text.len());
        (it.is_written() || !written.contains(&it.text)) && seen.insert((span, it.text.clone()))
    });
    uses
}

fn part_of(span: Span, part: Range<usize>) -> Span {
    let start = span.range().start;
    Span::new(span.source, start + part.start..start + part.end)
}
