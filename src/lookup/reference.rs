//! One lookup table as a value names it: `type:name`, with what the name holds.
//!
//! Read as `util/dict_open.c` and the types themselves do. What Postfix refuses to open for its
//! name alone is a [`TableProblem`]; files and servers that are not there are none.
//!
//! Known limits: members of members are read to a depth that nobody needs; an inline table that is
//! not UTF-8 is not refused.

use std::ops::Range;

use crate::postfix::{PATTERNS_IN_NAMES, Reads, Version, table_type};
use crate::syntax::is_space;
use crate::syntax::lists::{self, COMMA_SPACE};

/// How deep tables in tables are read: a hostile value must not use up the stack.
const DEEPEST: u8 = 50;

/// A table that a value names. All places are offsets in the text that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableReference {
    /// The types in front that hand all questions on, such as `proxy`; the outer one first.
    pub adapters: Vec<Range<usize>>,
    /// The word before the colon; empty where there is none.
    pub table_type: Range<usize>,
    /// What stands behind the colon.
    pub name: Range<usize>,
    /// What the name holds.
    pub content: Content,
    /// Why Postfix cannot open it, apart from what is wrong with its members.
    pub problem: Option<TableProblem>,
}

/// What the name of a table holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A file, a server, or nothing that postls knows.
    Name,
    /// The members of a unionmap or pipemap.
    Tables(Vec<TableReference>),
    /// Keys and values of an inline table.
    Pairs(Vec<(Range<usize>, Range<usize>)>),
    /// The results of a randmap, or the one of a static table.
    Values(Vec<Range<usize>>),
    /// The patterns of a regexp, pcre or cidr table.
    Patterns(Vec<Range<usize>>),
}

/// Why Postfix cannot open a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableProblem {
    /// The part that it is about.
    pub at: Range<usize>,
    /// What is so.
    pub why: Why,
}

/// What is wrong with a table's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is not `type:name`.
    NoType,
    /// There is no such type in this version.
    UnknownType,
    /// Nothing stands behind the colon.
    NoName,
    /// The type wants something else behind the colon.
    Name(&'static str),
}

impl TableReference {
    /// Reads a part of `text`; never fails.
    pub fn parse(text: &[u8], part: Range<usize>, version: Version) -> TableReference {
        TableReference::nested(text, part, version, 0)
    }

    fn nested(text: &[u8], part: Range<usize>, version: Version, depth: u8) -> TableReference {
        let mut adapters = Vec::new();
        let mut rest = part;
        loop {
            let Some(colon) = text[rest.clone()].iter().position(|byte| *byte == b':') else {
                return refused(adapters, rest.start..rest.start, rest.clone(), rest, Why::NoType);
            };
            let (word, name) = (rest.start..rest.start + colon, rest.start + colon + 1..rest.end);
            if word.is_empty() {
                return refused(adapters, word, name, rest, Why::NoType);
            }
            if name.is_empty() {
                return refused(adapters, word, name, rest, Why::NoName);
            }
            let known = str::from_utf8(&text[word.clone()]).ok().and_then(table_type);
            let Some(known) = known.filter(|it| it.exists_in(version)) else {
                return refused(adapters, word.clone(), name, word, Why::UnknownType);
            };
            if known.reads == Reads::Table {
                adapters.push(word);
                rest = name;
                continue;
            }
            let (content, problem) = match content(text, name.clone(), known.reads, version, depth)
            {
                Ok(content) => (content, None),
                Err(problem) => (Content::Name, Some(problem)),
            };
            return TableReference { adapters, table_type: word, name, content, problem };
        }
    }

    /// All that keeps Postfix from opening the table, in it and its members.
    pub fn problems(&self) -> Vec<&TableProblem> {
        let members = match &self.content {
            Content::Tables(members) => members.as_slice(),
            Content::Name | Content::Pairs(_) | Content::Values(_) | Content::Patterns(_) => &[],
        };
        self.problem.iter().chain(members.iter().flat_map(TableReference::problems)).collect()
    }
}

fn refused(
    adapters: Vec<Range<usize>>,
    table_type: Range<usize>,
    name: Range<usize>,
    at: Range<usize>,
    why: Why,
) -> TableReference {
    let problem = Some(TableProblem { at, why });
    TableReference { adapters, table_type, name, content: Content::Name, problem }
}

fn content(
    text: &[u8],
    name: Range<usize>,
    reads: Reads,
    version: Version,
    depth: u8,
) -> Result<Content, TableProblem> {
    let braced = text[name.start] == b'{';
    let malformed = |at: Range<usize>, what| TableProblem { at, why: Why::Name(what) };
    match reads {
        Reads::Index | Reads::TextFile | Reads::ClientFile | Reads::Service | Reads::Nothing => {
            Ok(Content::Name)
        }
        // The loop of the caller has gone behind it.
        Reads::Table => Ok(Content::Name),
        Reads::Accounts if matches!(&text[name.clone()], b"passwd.byname" | b"group.byname") => {
            Ok(Content::Name)
        }
        Reads::Accounts => {
            Err(malformed(name, "unix: has passwd.byname and group.byname, and no other table"))
        }
        Reads::Socketmap => socketmap(text, name),
        Reads::Value if !braced => Ok(Content::Values(vec![name])),
        Reads::Value => Ok(Content::Values(vec![inside(text, name)?])),
        Reads::Patterns if !braced => Ok(Content::Name),
        Reads::Patterns if version < PATTERNS_IN_NAMES => {
            Err(malformed(name, "before Postfix 3.7 this is the name of a file"))
        }
        Reads::Patterns => {
            let pattern = |word: Range<usize>| match text[word.start] {
                b'{' => inside(text, word),
                _ => Err(malformed(word, "each rule stands in braces of its own")),
            };
            members(text, name)?
                .into_iter()
                .map(pattern)
                .collect::<Result<_, _>>()
                .map(Content::Patterns)
        }
        Reads::Tables if depth == DEEPEST => Ok(Content::Name),
        Reads::Tables => {
            let words =
                in_braces(text, name, "the tables stand in braces: {type:name, type:name}")?;
            let member = |word| TableReference::nested(text, word, version, depth + 1);
            Ok(Content::Tables(words.into_iter().map(member).collect()))
        }
        Reads::Values => {
            in_braces(text, name, "the values stand in braces: {value, value}").map(Content::Values)
        }
        Reads::Pairs => {
            let words = in_braces(text, name, "the rows stand in braces: {key=value, key=value}")?;
            words
                .into_iter()
                .map(|word| pair(text, word))
                .collect::<Result<_, _>>()
                .map(Content::Pairs)
        }
    }
}

/// The words between braces, of which there must be one.
fn in_braces(
    text: &[u8],
    name: Range<usize>,
    wanted: &'static str,
) -> Result<Vec<Range<usize>>, TableProblem> {
    if text[name.start] != b'{' {
        return Err(TableProblem { at: name, why: Why::Name(wanted) });
    }
    let words = members(text, name.clone())?;
    if words.is_empty() {
        return Err(TableProblem { at: name, why: Why::Name("nothing stands in the braces") });
    }
    Ok(words)
}

fn members(text: &[u8], name: Range<usize>) -> Result<Vec<Range<usize>>, TableProblem> {
    let inner = inside(text, name)?;
    let words = lists::words(&text[inner.clone()], COMMA_SPACE);
    Ok(words.map(|it| inner.start + it.start..inner.start + it.end).collect())
}

/// What stands between the brace that begins `word` and the one that ends it.
fn inside(text: &[u8], word: Range<usize>) -> Result<Range<usize>, TableProblem> {
    let (inner, problem) = lists::braces(text, word.clone());
    let why = match problem {
        None => return Ok(inner),
        Some(lists::BraceProblem::Unclosed) => "no } closes the {",
        Some(lists::BraceProblem::TextBehind) => "something follows the } that closes the {",
    };
    Err(TableProblem { at: word, why: Why::Name(why) })
}

/// `key=value`, `{ key = value }`, `"key with blanks"=value` (`util/split_qnameval.c`).
fn pair(text: &[u8], word: Range<usize>) -> Result<(Range<usize>, Range<usize>), TableProblem> {
    let refused = |why| Err(TableProblem { at: word.clone(), why: Why::Name(why) });
    let inner = match text[word.start] {
        b'{' => inside(text, word.clone())?,
        _ => word.clone(),
    };
    let mut at = inner.start;
    let mut quoted = false;
    while at < inner.end {
        match text[at] {
            b'\\' => at += 1,
            b'"' => quoted = !quoted,
            byte if !quoted && (is_space(byte) || byte == b'=') => break,
            _ => {}
        }
        at += 1;
    }
    let key = inner.start..at.min(inner.end);
    if quoted {
        return refused("a \" is missing");
    }
    let blanks = |from: usize| text[from..inner.end].iter().take_while(|it| is_space(**it)).count();
    let equals = key.end + blanks(key.end);
    if inner.is_empty() || text[..inner.end].get(equals) != Some(&b'=') {
        return refused("a row is key=value without blanks, or { key = value }");
    }
    let value = equals + 1 + blanks(equals + 1);
    Ok((key, value..inner.end))
}

/// `util/dict_sockmap.c`, `util/auto_clnt.c`
fn socketmap(text: &[u8], name: Range<usize>) -> Result<Content, TableProblem> {
    let words: Vec<&[u8]> = text[name.clone()].split(|byte| *byte == b':').collect();
    let known = matches!(words[0], b"inet" | b"unix" | b"local");
    // Of inet:host:port Postfix takes the port for the name; then it has no port.
    let enough = words.len() >= if words[0] == b"inet" { 4 } else { 3 };
    if known && enough {
        return Ok(Content::Name);
    }
    let why = Why::Name("a socketmap is inet:host:port:name or unix:path:name");
    Err(TableProblem { at: name, why })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_has_an_end() {
        let text = "unionmap:{".repeat(100_000) + &"}".repeat(100_000);
        let read = TableReference::parse(text.as_bytes(), 0..text.len(), Version::NEWEST);
        assert_eq!(read.problems(), [] as [&TableProblem; 0]);
    }

    #[test]
    fn parts_have_places() {
        let text = "proxy:unionmap:{inline:{a=b, { c d = e }}, static:{f g}}";
        let read = TableReference::parse(text.as_bytes(), 0..text.len(), Version::OLDEST);
        assert_eq!(read, TableReference::parse(text.as_bytes(), 0..text.len(), Version::NEWEST));
        let adapters: Vec<&str> = read.adapters.iter().map(|it| &text[it.clone()]).collect();
        assert_eq!((adapters, &text[read.table_type.clone()]), (vec!["proxy"], "unionmap"));
        let Content::Tables(members) = &read.content else { panic!("{read:?}") };
        let names: Vec<&str> = members.iter().map(|it| &text[it.name.clone()]).collect();
        assert_eq!(names, ["{a=b, { c d = e }}", "{f g}"]);
        let Content::Values(values) = &members[1].content else { panic!("{members:?}") };
        assert_eq!(&text[values[0].clone()], "f g");
        // A key with blanks has quotes, so this table is refused.
        let problems: Vec<&str> = read.problems().iter().map(|it| &text[it.at.clone()]).collect();
        assert_eq!(problems, ["{ c d = e }"]);
    }
}
