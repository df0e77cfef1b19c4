//! The grammar of POSIX regular expressions with glibc's extensions (`posix/regcomp.c`).

use std::rc::Rc;

use super::tree::{Anchor, Set, Tree, not, only, repeated, size, with, without};
use super::{NoRegex, bracket};

/// `RE_DUP_MAX`
const MOST_REPETITIONS: u32 = 0x7fff;
/// Deeper nesting would use up the stack; no table has it.
const DEEPEST: usize = 200;
/// Repetitions multiply; more parts than these are too many.
const MOST_PARTS: usize = 1 << 18;

/// Which of the two grammars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lookup) enum Syntax {
    /// `REG_EXTENDED`
    Extended,
    /// The other one: `\(`, `\{`.
    Basic,
}

/// Whether case counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lookup) enum Case {
    /// It counts.
    Counts,
    /// `REG_ICASE`: the pattern and the text are read in upper case.
    Ignored,
}

/// What glibc says of a pattern that it refuses (`regerror`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lookup) struct Refused(pub(in crate::lookup) &'static str);

pub(super) const BAD_PATTERN: Refused = Refused("Invalid regular expression");
pub(super) const BAD_COLLATION: Refused = Refused("Invalid collation character");
pub(super) const BAD_CLASS: Refused = Refused("Invalid character class name");
pub(super) const BAD_BRACKET: Refused = Refused("Unmatched [, [^, [:, [., or [=");
pub(super) const BAD_RANGE: Refused = Refused("Invalid range end");
const BAD_ESCAPE: Refused = Refused("Trailing backslash");
const BAD_REFERENCE: Refused = Refused("Invalid back reference");
const BAD_PARENTHESIS: Refused = Refused("Unmatched ( or \\(");
const BAD_BRACE: Refused = Refused("Unmatched \\{");
const BAD_INTERVAL: Refused = Refused("Invalid content of \\{\\}");
const BAD_REPETITION: Refused = Refused("Invalid preceding regular expression");
const TOO_BIG: Refused = Refused("Regular expression too big");

/// A regular expression.
#[derive(Debug)]
pub(super) struct Parsed {
    /// `None`: the empty one.
    pub(super) tree: Option<Rc<Tree>>,
    /// How many groups there are.
    pub(super) groups: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    End,
    Byte(u8),
    Any,
    Open,
    Close,
    OpenBracket,
    Or,
    Star,
    Plus,
    Question,
    OpenInterval,
    CloseInterval,
    Reference(usize),
    Anchor(Anchor),
    WordBoundary,
    NoWordBoundary,
    Class { name: &'static [u8], underscore: bool, negated: bool },
    Backslash,
}

pub(super) fn parse(pattern: &[u8], syntax: Syntax, case: Case) -> Result<Parsed, NoRegex> {
    let input = match case {
        Case::Counts => pattern.to_vec(),
        Case::Ignored => pattern.to_ascii_uppercase(),
    };
    let mut parser = Parser {
        raw: pattern,
        input,
        at: 0,
        token: Token::End,
        syntax,
        case,
        groups: 0,
        closed: 0,
        depth: 0,
        parts: 0,
    };
    parser.fetch(Carets::AreAnchors);
    let tree = parser.alternatives()?;
    Ok(Parsed { tree, groups: parser.groups })
}

/// Where `^` is an anchor in a basic expression.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Carets {
    AreAnchors,
    AreBytes,
}

pub(super) struct Parser<'p> {
    /// The pattern as written; what follows a backslash is read here.
    pub(super) raw: &'p [u8],
    /// The same in the case that counts.
    pub(super) input: Vec<u8>,
    /// Behind the token.
    pub(super) at: usize,
    token: Token,
    syntax: Syntax,
    pub(super) case: Case,
    groups: usize,
    /// Which of the first nine groups have been closed.
    closed: u16,
    depth: usize,
    /// How many parts repetitions have made.
    parts: usize,
}

impl Parser<'_> {
    fn fetch(&mut self, carets: Carets) {
        let (token, length) = self.token_at(self.at, carets);
        self.token = token;
        self.at += length;
    }

    fn next(&mut self) {
        self.fetch(Carets::AreBytes);
    }

    fn token_at(&self, at: usize, carets: Carets) -> (Token, usize) {
        let Some(byte) = self.input.get(at).copied() else { return (Token::End, 0) };
        let extended = self.syntax == Syntax::Extended;
        if byte == b'\\' {
            let Some(escaped) = self.raw.get(at + 1).copied() else { return (Token::Backslash, 1) };
            return (self.escaped(escaped), 2);
        }
        let token = match byte {
            b'*' => Token::Star,
            b'.' => Token::Any,
            b'[' => Token::OpenBracket,
            b'+' if extended => Token::Plus,
            b'?' if extended => Token::Question,
            b'{' if extended => Token::OpenInterval,
            b'}' if extended => Token::CloseInterval,
            b'(' if extended => Token::Open,
            b')' if extended => Token::Close,
            b'|' if extended => Token::Or,
            b'^' if extended || at == 0 || carets == Carets::AreAnchors => {
                Token::Anchor(Anchor::Start)
            }
            b'$' if extended || self.ends_branch(at + 1) => Token::Anchor(Anchor::End),
            _ => Token::Byte(byte),
        };
        (token, 1)
    }

    /// Whether a `$` before this place is an anchor in a basic expression.
    fn ends_branch(&self, at: usize) -> bool {
        at == self.raw.len() || matches!(&self.raw[at..], [b'\\', b'|' | b')', ..])
    }

    fn escaped(&self, byte: u8) -> Token {
        let basic = self.syntax == Syntax::Basic;
        let class = |name, underscore, negated| Token::Class { name, underscore, negated };
        match byte {
            b'1'..=b'9' => Token::Reference(usize::from(byte - b'1')),
            b'<' => Token::Anchor(Anchor::WordStart),
            b'>' => Token::Anchor(Anchor::WordEnd),
            b'`' => Token::Anchor(Anchor::Start),
            b'\'' => Token::Anchor(Anchor::End),
            b'b' => Token::WordBoundary,
            b'B' => Token::NoWordBoundary,
            b'w' => class(b"alnum", true, false),
            b'W' => class(b"alnum", true, true),
            b's' => class(b"space", false, false),
            b'S' => class(b"space", false, true),
            b'(' if basic => Token::Open,
            b')' if basic => Token::Close,
            b'{' if basic => Token::OpenInterval,
            b'}' if basic => Token::CloseInterval,
            b'+' if basic => Token::Plus,
            b'?' if basic => Token::Question,
            b'|' if basic => Token::Or,
            _ => Token::Byte(byte),
        }
    }

    fn alternatives(&mut self) -> Result<Option<Rc<Tree>>, NoRegex> {
        let before = self.closed;
        let mut branches = vec![self.branch()?];
        let mut closed = self.closed;
        while self.token == Token::Or {
            self.fetch(Carets::AreAnchors);
            self.closed = before;
            branches.push(self.branch()?);
            closed |= self.closed;
        }
        self.closed = closed;
        if branches.len() == 1 {
            return Ok(branches.pop().flatten());
        }
        Ok(Some(Rc::new(Tree::Alternatives(branches))))
    }

    fn branch(&mut self) -> Result<Option<Rc<Tree>>, NoRegex> {
        let mut parts = Vec::new();
        while !self.ends_here() {
            parts.extend(self.expression()?);
        }
        Ok(match parts.len() {
            0 | 1 => parts.pop(),
            _ => Some(Rc::new(Tree::Sequence(parts))),
        })
    }

    fn ends_here(&self) -> bool {
        match self.token {
            Token::End | Token::Or => true,
            Token::Close => self.depth > 0,
            _ => false,
        }
    }

    /// One part with its repetitions; `None` where they leave nothing of it.
    fn expression(&mut self) -> Result<Option<Rc<Tree>>, NoRegex> {
        let extended = self.syntax == Syntax::Extended;
        let tree = match self.token {
            Token::Byte(byte) => bytes(only(byte)),
            Token::Any => bytes(without([0; 4], 0)),
            Token::Open => self.group()?,
            Token::OpenBracket => bytes(self.bracket()?),
            Token::Reference(index) => {
                if self.closed & 1 << index == 0 {
                    return Err(BAD_REFERENCE.into());
                }
                Rc::new(Tree::Reference(index))
            }
            Token::Anchor(_) | Token::WordBoundary | Token::NoWordBoundary => {
                // A repetition that follows stands alone, and is an error or a byte.
                let tree = anchor(self.token);
                self.next();
                return Ok(Some(tree));
            }
            Token::Class { name, underscore, negated } => {
                let mut set = bracket::class(name, Case::Counts)?;
                if underscore {
                    set = with(set, b'_');
                }
                bytes(if negated { not(set) } else { set })
            }
            Token::OpenInterval => return Err(BAD_REPETITION.into()),
            Token::Star | Token::Plus | Token::Question if extended => {
                return Err(BAD_REPETITION.into());
            }
            // POSIX has one error for both.
            Token::Close if !extended => return Err(BAD_PARENTHESIS.into()),
            // Here they mean nothing, and stand for themselves.
            Token::Star => bytes(only(b'*')),
            Token::Plus => bytes(only(b'+')),
            Token::Question => bytes(only(b'?')),
            Token::Close => bytes(only(b')')),
            Token::CloseInterval => bytes(only(b'}')),
            Token::Backslash => return Err(BAD_ESCAPE.into()),
            Token::End | Token::Or => return Ok(None),
        };
        self.next();
        self.repetitions(tree)
    }

    fn repetitions(&mut self, tree: Rc<Tree>) -> Result<Option<Rc<Tree>>, NoRegex> {
        let mut tree = Some(tree);
        let mut count = 0;
        loop {
            let (least, most) = match self.token {
                Token::Star => (0, None),
                Token::Plus => (1, None),
                Token::Question => (0, Some(1)),
                Token::OpenInterval => self.interval()?,
                _ => return Ok(tree),
            };
            self.next();
            count += 1;
            if count > DEEPEST {
                return Err(NoRegex::TooLarge);
            }
            if let Some(one) = &tree {
                let copies = most.unwrap_or(least).max(1) as usize;
                let one = size(one, 2 * DEEPEST, MOST_PARTS).ok_or(NoRegex::TooLarge)?;
                self.parts = self.parts.saturating_add(one.saturating_mul(copies));
                if self.parts > MOST_PARTS {
                    return Err(NoRegex::TooLarge);
                }
            }
            tree = tree.and_then(|tree| repeated(&tree, least, most));
            let again = matches!(self.token, Token::Star | Token::OpenInterval);
            if again && self.syntax == Syntax::Basic {
                return Err(BAD_REPETITION.into());
            }
        }
    }

    /// Behind it, the token is the closing brace.
    fn interval(&mut self) -> Result<(u32, Option<u32>), NoRegex> {
        let wrong = |token| if token == Token::End { BAD_BRACE } else { BAD_INTERVAL };
        let least = match self.number() {
            Number::None if self.token == Token::Byte(b',') => 0,
            Number::None => return Err(BAD_INTERVAL.into()),
            Number::Invalid => return Err(wrong(self.token).into()),
            Number::Of(least) => least,
        };
        let most = if self.token == Token::CloseInterval {
            Some(least)
        } else {
            match self.number() {
                Number::None => None,
                Number::Invalid => return Err(wrong(self.token).into()),
                Number::Of(most) => Some(most),
            }
        };
        if most.is_some_and(|most| most < least) || self.token != Token::CloseInterval {
            return Err(BAD_INTERVAL.into());
        }
        if most.unwrap_or(least) > MOST_REPETITIONS {
            return Err(TOO_BIG.into());
        }
        Ok((least, most))
    }

    fn number(&mut self) -> Number {
        let mut number = Number::None;
        loop {
            self.next();
            match self.token {
                Token::End => return Number::Invalid,
                Token::CloseInterval | Token::Byte(b',') => return number,
                Token::Byte(digit @ b'0'..=b'9') => {
                    let digit = u32::from(digit - b'0');
                    number = match number {
                        Number::None => Number::Of(digit),
                        Number::Of(so_far) => {
                            Number::Of((so_far * 10 + digit).min(MOST_REPETITIONS + 1))
                        }
                        Number::Invalid => Number::Invalid,
                    };
                }
                _ => number = Number::Invalid,
            }
        }
    }

    fn group(&mut self) -> Result<Rc<Tree>, NoRegex> {
        let index = self.groups;
        self.groups += 1;
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(NoRegex::TooLarge);
        }
        self.fetch(Carets::AreAnchors);
        let inner = match self.token {
            Token::Close => None,
            _ => self.alternatives()?,
        };
        if self.token != Token::Close {
            return Err(BAD_PARENTHESIS.into());
        }
        self.depth -= 1;
        if index < 9 {
            self.closed |= 1 << index;
        }
        Ok(Rc::new(Tree::Group { index, inner, optional: false }))
    }
}

enum Number {
    None,
    Invalid,
    Of(u32),
}

fn anchor(token: Token) -> Rc<Tree> {
    let one = |anchor| Rc::new(Tree::Anchor(anchor));
    let either = |a, b| Rc::new(Tree::Alternatives(vec![Some(one(a)), Some(one(b))]));
    match token {
        Token::WordBoundary => either(Anchor::WordStart, Anchor::WordEnd),
        Token::NoWordBoundary => either(Anchor::InsideWord, Anchor::OutsideWord),
        Token::Anchor(anchor) => one(anchor),
        _ => one(Anchor::Start),
    }
}

fn bytes(set: Set) -> Rc<Tree> {
    Rc::new(Tree::Bytes(set))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lookup::ere::Regex;

    fn refusal(pattern: &str) -> Option<&'static str> {
        match Regex::new(pattern.as_bytes(), Syntax::Extended, Case::Ignored) {
            Ok(_) => None,
            Err(NoRegex::Refused(Refused(why))) => Some(why),
            Err(NoRegex::TooLarge) => Some("too large"),
        }
    }

    /// Each row was tried with glibc's regcomp.
    #[test]
    fn patterns_are_refused_as_in_glibc() {
        for (pattern, want) in [
            ("", None),
            ("()", None),
            ("a)", None),
            ("a}", None),
            ("a|", None),
            ("a**", None),
            ("a{2}{3}", None),
            ("a{,3}", None),
            ("[]a]", None),
            ("(a)\\1", None),
            ("*", Some("Invalid preceding regular expression")),
            ("^*", Some("Invalid preceding regular expression")),
            ("{1}", Some("Invalid preceding regular expression")),
            ("(", Some("Unmatched ( or \\(")),
            ("[a", Some("Unmatched [, [^, [:, [., or [=")),
            ("[b-a]", Some("Invalid range end")),
            ("[_-z]", Some("Invalid range end")),
            ("[[:letter:]]", Some("Invalid character class name")),
            ("a{1", Some("Unmatched \\{")),
            ("a{x}", Some("Invalid content of \\{\\}")),
            ("a{2,1}", Some("Invalid content of \\{\\}")),
            ("a{99999}", Some("Regular expression too big")),
            ("a\\1", Some("Invalid back reference")),
        ] {
            assert_eq!(refusal(pattern), want, "{pattern}");
        }
        let nested = format!("{}a{}", "(".repeat(150), "?)".repeat(150));
        assert_eq!(refusal(&nested), None);
        for hostile in [
            "(".repeat(100_000),
            format!("a{}", "{2}".repeat(100)),
            format!("(a{}){{9}}", "{1,2}".repeat(100)),
            format!("a{}", "?".repeat(100_000)),
            "(((a{999}){999}){999}){999}".into(),
        ] {
            assert_eq!(refusal(&hostile), Some("too large"));
        }
    }
}
