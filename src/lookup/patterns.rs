//! `regexp:` and `pcre:` tables: patterns, tried in order (`util/dict_regexp.c`, `util/dict_pcre.c`).
//!
//! Postfix skips a row that it cannot read, logs a warning, and goes on. What it says is kept.

use std::ops::Range;

use super::ere::{Case, Groups, NoRegex, Refused, Regex, Syntax};
use super::pcre::{self, Pcre};
use super::replacement::{self, Piece};
use super::{Answer, Problem, Rows};
use crate::postfix::Version;
use crate::syntax::{is_space, trim};

/// Whose patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `regexp:`
    Posix,
    /// `pcre:`
    Perl,
}

/// A table of patterns.
#[derive(Debug)]
pub(super) struct Patterns {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    /// The row in its source.
    range: Range<usize>,
    action: Action,
}

#[derive(Debug)]
enum Action {
    Match { pattern: Pattern, and: Option<Pattern>, value: Vec<Piece> },
    If { pattern: Pattern, end: Option<usize> },
    EndIf,
}

#[derive(Debug)]
struct Pattern {
    engine: Engine,
    wanted: Wanted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Match,
    NoMatch,
}

#[derive(Debug)]
enum Engine {
    Posix(Regex),
    Perl(Pcre),
    /// postls cannot say what it matches.
    Unknown(&'static str),
}

/// A pattern as it is written.
struct Written<'t> {
    wanted: Wanted,
    pattern: &'t [u8],
    flags: &'t [u8],
}

/// A row that Postfix skips, and what it says of it.
type Skipped = String;

/// Reads the rows; what is wrong goes to `problems`.
pub(super) fn read(
    rows: &Rows<'_>,
    dialect: Dialect,
    version: Version,
    problems: &mut Vec<Problem>,
) -> Patterns {
    let mut rules: Vec<Rule> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    rows.each(problems, &mut |range, text, problems| {
        let text = &text[..text.len() - trailing_blanks(text)];
        let mut say = |what| problems.push(Problem { place: rows.span(range.clone()), what });
        let mut reader = Reader { dialect, version, say: &mut say };
        match reader.rule(text, open.len()) {
            Err(skipped) => say(skipped),
            Ok(action) => {
                match &action {
                    Action::Match { .. } => {}
                    Action::If { .. } => open.push(rules.len()),
                    Action::EndIf => {
                        let end_here = rules.len();
                        if let Some(begin) = open.pop()
                            && let Action::If { end, .. } = &mut rules[begin].action
                        {
                            *end = Some(end_here);
                        }
                    }
                }
                rules.push(Rule { range, action });
            }
        }
    });
    for begin in open.into_iter().rev() {
        let place = rows.span(rules[begin].range.clone());
        problems.push(Problem { place, what: "IF has no matching ENDIF".into() });
    }
    Patterns { rules }
}

struct Reader<'r> {
    dialect: Dialect,
    version: Version,
    say: &'r mut dyn FnMut(String),
}

impl Reader<'_> {
    fn rule(&mut self, text: &[u8], nesting: usize) -> Result<Action, Skipped> {
        let keyword = |word: &[u8]| {
            let (start, rest) = text.split_at_checked(word.len())?;
            let ends = !rest.first().is_some_and(u8::is_ascii_alphanumeric);
            (start.eq_ignore_ascii_case(word) && ends).then_some(rest)
        };
        if !text.first().is_some_and(u8::is_ascii_alphanumeric) {
            self.match_rule(text)
        } else if let Some(rest) = keyword(b"IF") {
            let (written, rest) = self.pattern(rest)?;
            let rest = trim(rest).1;
            if !rest.is_empty() {
                let rest = String::from_utf8_lossy(rest);
                (self.say)(format!("ignoring extra text after IF statement: \"{rest}\""));
            }
            Ok(Action::If { pattern: self.compile(&written, 0)?, end: None })
        } else if let Some(rest) = keyword(b"ENDIF") {
            if nesting == 0 {
                return Err("ignoring ENDIF without matching IF".into());
            }
            if !trim(rest).1.is_empty() {
                (self.say)("ignoring extra text after ENDIF".into());
            }
            Ok(Action::EndIf)
        } else {
            Err("ignoring unrecognized request".into())
        }
    }

    fn match_rule(&mut self, text: &[u8]) -> Result<Action, Skipped> {
        let (first, rest) = self.pattern(text)?;
        let (second, rest) = match (self.dialect, rest) {
            (Dialect::Posix, [b'!', ..]) => {
                let (second, rest) = self.pattern(rest)?;
                (Some(second), rest)
            }
            (Dialect::Posix | Dialect::Perl, _) => (None, rest),
        };
        let text = trim(rest).1;
        if text.is_empty() {
            (self.say)("no replacement text: using empty string".into());
        }
        let value = replacement::parse(text, self.dialect).map_err(|why| {
            (self.say)(why);
            "bad replacement syntax: skipping this rule"
        })?;
        let largest = replacement::largest_group(&value);
        if largest > 0 && first.wanted == Wanted::NoMatch {
            return Err("$number found in negative match replacement text: \
                        skipping this rule"
                .into());
        }
        let pattern = self.compile(&first, largest)?;
        let and = second.map(|second| self.compile(&second, 0)).transpose()?;
        Ok(Action::Match { pattern, and, value })
    }

    /// A pattern with what stands before it and its flags, and what follows.
    fn pattern<'t>(&mut self, text: &'t [u8]) -> Result<(Written<'t>, &'t [u8]), Skipped> {
        let before = text.iter().take_while(|it| **it == b'!' || is_space(**it)).count();
        let wanted = if odd(&text[..before], b'!') { Wanted::NoMatch } else { Wanted::Match };
        let Some((delimiter, rest)) = text[before..].split_first() else {
            return Err("no regexp: skipping this rule".into());
        };
        let mut at = 0;
        loop {
            match rest.get(at) {
                Some(b'\\') if at + 1 < rest.len() => at += 2,
                Some(byte) if byte == delimiter => break,
                Some(b'\\') | None => {
                    let delimiter = char::from(*delimiter);
                    let verb = match self.dialect {
                        Dialect::Posix => "skipping",
                        Dialect::Perl => "ignoring",
                    };
                    let why =
                        format!("no closing regexp delimiter \"{delimiter}\": {verb} this rule");
                    return Err(why);
                }
                Some(_) => at += 1,
            }
        }
        let (pattern, rest) = (&rest[..at], &rest[at + 1..]);
        let is_flag =
            |byte: &u8| !(is_space(*byte) || *byte == b'!' && self.dialect == Dialect::Posix);
        let (flags, rest) = rest.split_at(rest.iter().take_while(|it| is_flag(it)).count());
        let known: &[u8] = match self.dialect {
            Dialect::Posix => b"imx",
            Dialect::Perl => b"imsxAEUX",
        };
        if let Some(flag) = flags.iter().find(|it| !known.contains(it)) {
            let flag = char::from(*flag);
            return Err(format!("unknown regexp option \"{flag}\": skipping this rule"));
        }
        // The library that came before PCRE2 knew it.
        let obsolete = if self.version < Version::new(3, 7) { &[] } else { flags };
        for _ in obsolete.iter().filter(|it| **it == b'X') {
            (self.say)("ignoring obsolete regexp option \"X\"".into());
        }
        Ok((Written { wanted, pattern, flags }, rest))
    }

    /// `groups`: how many of them are asked for.
    fn compile(&self, written: &Written<'_>, groups: usize) -> Result<Pattern, Skipped> {
        let Written { wanted, pattern, flags } = *written;
        // Each flag turns over what it stands for.
        let turned = |flag: u8| odd(flags, flag);
        let (engine, has) = match self.dialect {
            Dialect::Posix => {
                let case = if turned(b'i') { Case::Counts } else { Case::Ignored };
                let syntax = if turned(b'x') { Syntax::Basic } else { Syntax::Extended };
                match Regex::new(pattern, syntax, case) {
                    Ok(regex) => {
                        let has = regex.groups();
                        (Engine::Posix(regex), has)
                    }
                    Err(NoRegex::Refused(Refused(why))) => return Err(why.into()),
                    Err(NoRegex::TooLarge) => (Engine::Unknown("the pattern is too large"), groups),
                }
            }
            Dialect::Perl => match Pcre::new(pattern, &turned) {
                Ok(pcre) => {
                    let has = pcre.groups();
                    (Engine::Perl(pcre), has)
                }
                Err(pcre::NoPcre::Refused(why)) => return Err(why),
                Err(pcre::NoPcre::Unknown(why)) => (Engine::Unknown(why), groups),
            },
        };
        if groups > has {
            return Err(format!("out of range replacement index \"{groups}\": skipping this rule"));
        }
        Ok(Pattern { engine, wanted })
    }
}

/// Whether a byte is there an odd number of times.
pub(super) fn odd(text: &[u8], byte: u8) -> bool {
    memchr::memchr_iter(byte, text).count() % 2 == 1
}

fn trailing_blanks(text: &[u8]) -> usize {
    text.iter().rev().take_while(|it| is_space(**it)).count()
}

/// What a search has found.
enum Found {
    Groups(Groups),
    Nothing,
    Unknown(String),
}

impl Pattern {
    /// `Ok(None)`: the row is not for this key.
    fn try_on(&self, key: &[u8], groups: usize) -> Result<Option<Groups>, String> {
        let found = match &self.engine {
            Engine::Posix(regex) => regex.search(key, groups),
            Engine::Perl(pcre) => match pcre.find(key, groups) {
                Ok(Some(groups)) => Found::Groups(groups),
                Ok(None) => Found::Nothing,
                // Postfix logs it and takes it for no match, negated or not.
                Err(_) => return Ok(None),
            },
            Engine::Unknown(why) => Found::Unknown((*why).into()),
        };
        match (found, self.wanted) {
            (Found::Unknown(why), _) => Err(why),
            (Found::Groups(groups), Wanted::Match) => Ok(Some(groups)),
            (Found::Nothing, Wanted::NoMatch) => Ok(Some(Vec::new())),
            (Found::Groups(_), Wanted::NoMatch) | (Found::Nothing, Wanted::Match) => Ok(None),
        }
    }
}

impl Regex {
    fn search(&self, key: &[u8], groups: usize) -> Found {
        let found = match groups {
            0 => self.is_match(key).map(|it| it.then(Vec::new)),
            _ => self.find(key, groups + 1),
        };
        match found {
            Ok(Some(groups)) => Found::Groups(groups),
            Ok(None) => Found::Nothing,
            Err(_) => Found::Unknown("the pattern takes too long".into()),
        }
    }
}

impl Patterns {
    /// The values without references to groups, each with its row.
    pub(super) fn fixed_values(&self) -> impl Iterator<Item = (&[u8], Range<usize>)> {
        self.rules.iter().filter_map(|rule| match &rule.action {
            Action::Match { value, .. } => match value.as_slice() {
                [Piece::Text(text)] => Some((&text[..], rule.range.clone())),
                _ => None,
            },
            Action::If { .. } | Action::EndIf => None,
        })
    }

    /// The first row that is for this key.
    pub(super) fn ask(&self, key: &[u8], rows: &Rows<'_>) -> Answer {
        let mut at = 0;
        while let Some(rule) = self.rules.get(at) {
            at += 1;
            let unknown = |why| {
                let line = rows.line(&rule.range);
                Answer::AtRunTime(format!("decided at run time by line {line}: {why}"))
            };
            match &rule.action {
                Action::EndIf => {}
                Action::If { pattern, end } => match (pattern.try_on(key, 0), end) {
                    (Err(why), _) => return unknown(why),
                    (Ok(Some(_)), _) => {}
                    (Ok(None), Some(end)) => at = end + 1,
                    // Without an ENDIF there is nothing behind it.
                    (Ok(None), None) => return Answer::NotFound,
                },
                Action::Match { pattern, and, value } => {
                    let groups = match pattern.try_on(key, replacement::largest_group(value)) {
                        Ok(Some(groups)) => groups,
                        Ok(None) => continue,
                        Err(why) => return unknown(why),
                    };
                    match and.as_ref().map(|and| and.try_on(key, 0)) {
                        None | Some(Ok(Some(_))) => {}
                        Some(Ok(None)) => continue,
                        Some(Err(why)) => return unknown(why),
                    }
                    let value = replacement::expand(value, key, &groups);
                    let places = rows.span(rule.range.clone()).into_iter().collect();
                    return Answer::Found { value, places };
                }
            }
        }
        Answer::NotFound
    }
}
