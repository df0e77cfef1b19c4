//! `[…]` in a POSIX regular expression (`posix/regcomp.c`), in the C locale.

use super::parse::{
    BAD_BRACKET, BAD_CLASS, BAD_COLLATION, BAD_PATTERN, BAD_RANGE, Case, Parser, Refused,
};
use super::tree::{Set, not, with};

/// `BRACKET_NAME_BUF_SIZE`
const LONGEST_NAME: usize = 32;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    End,
    Byte(u8),
    Close,
    Hyphen,
    Not,
    /// `[.`, `[=`, `[:`: the second byte.
    Symbol(u8),
}

enum Element {
    /// A byte, also one written `[.a.]`.
    Byte(u8),
    /// A name of several bytes between `[.` and `.]`: the C locale has none.
    Collating,
    /// `[=a=]`
    Equivalent(Vec<u8>),
    /// `[:alpha:]`
    Class(Vec<u8>),
}

/// Where a lone hyphen stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hyphen {
    /// Where it is a byte like others.
    Fine,
    /// Where only a closing bracket may follow.
    Last,
}

impl Parser<'_> {
    /// What stands behind a `[`, up to its `]`.
    pub(super) fn bracket(&mut self) -> Result<Set, Refused> {
        let mut token = self.token_in_bracket(0);
        let negated = token == (Token::Not, 1);
        if token.0 == Token::End {
            return Err(BAD_PATTERN);
        }
        if negated {
            self.at += 1;
            token = self.token_in_bracket(0);
            if token.0 == Token::End {
                return Err(BAD_PATTERN);
            }
        }
        if token.0 == Token::Close {
            token.0 = Token::Byte(b']');
        }
        let mut set = Set::default();
        let mut hyphen = Hyphen::Fine;
        loop {
            let start = self.element(token, hyphen)?;
            hyphen = Hyphen::Last;
            token = self.token_in_bracket(0);
            let may_be_range = matches!(start, Element::Byte(_) | Element::Collating);
            if may_be_range && token.0 == Token::Hyphen {
                self.at += 1;
                let end = self.token_in_bracket(0);
                match end.0 {
                    Token::End => return Err(BAD_BRACKET),
                    // The last hyphen is a byte like others.
                    Token::Close => {
                        self.at -= 1;
                        token = (Token::Byte(b'-'), 1);
                        add(&mut set, &start, self.case)?;
                        continue;
                    }
                    _ => {}
                }
                let end = self.element(end, Hyphen::Fine)?;
                range(&mut set, &start, &end)?;
                token = self.token_in_bracket(0);
            } else {
                add(&mut set, &start, self.case)?;
            }
            match token.0 {
                Token::End => return Err(BAD_BRACKET),
                Token::Close => break,
                _ => {}
            }
        }
        self.at += 1;
        Ok(if negated { not(set) } else { set })
    }

    /// The token `ahead` of the place, and its length.
    fn token_in_bracket(&self, ahead: usize) -> (Token, usize) {
        let at = self.at + ahead;
        let Some(byte) = self.input.get(at).copied() else { return (Token::End, 0) };
        match byte {
            b'[' => match self.input.get(at + 1) {
                Some(kind @ (b'.' | b'=' | b':')) => (Token::Symbol(*kind), 2),
                _ => (Token::Byte(byte), 1),
            },
            b']' => (Token::Close, 1),
            b'^' => (Token::Not, 1),
            b'-' => (Token::Hyphen, 1),
            _ => (Token::Byte(byte), 1),
        }
    }

    fn element(
        &mut self,
        (token, length): (Token, usize),
        hyphen: Hyphen,
    ) -> Result<Element, Refused> {
        self.at += length;
        match token {
            Token::Symbol(kind) => self.symbol(kind),
            Token::Hyphen if hyphen == Hyphen::Last => match self.token_in_bracket(0).0 {
                Token::Close => Ok(Element::Byte(b'-')),
                _ => Err(BAD_RANGE),
            },
            Token::Hyphen => Ok(Element::Byte(b'-')),
            Token::Not => Ok(Element::Byte(b'^')),
            Token::Close => Ok(Element::Byte(b']')),
            Token::Byte(byte) => Ok(Element::Byte(byte)),
            Token::End => Err(BAD_BRACKET),
        }
    }

    fn symbol(&mut self, kind: u8) -> Result<Element, Refused> {
        // The names of classes are read as they are written.
        let input = if kind == b':' { self.raw } else { &self.input };
        let rest = &input[self.at..];
        let length = rest.windows(2).position(|it| it == [kind, b']']).ok_or(BAD_BRACKET)?;
        if length >= LONGEST_NAME {
            return Err(BAD_BRACKET);
        }
        let name = rest[..length].to_vec();
        self.at += length + 2;
        Ok(match (kind, name.as_slice()) {
            (b':', _) => Element::Class(name),
            (b'=', _) => Element::Equivalent(name),
            (_, [byte]) => Element::Byte(*byte),
            _ => Element::Collating,
        })
    }
}

fn add(set: &mut Set, element: &Element, case: Case) -> Result<(), Refused> {
    let more = match element {
        Element::Byte(byte) => with(*set, *byte),
        Element::Equivalent(name) => match name.as_slice() {
            [byte] => with(*set, *byte),
            _ => return Err(BAD_COLLATION),
        },
        Element::Collating => return Err(BAD_COLLATION),
        Element::Class(name) => {
            let class = class(name, case)?;
            std::array::from_fn(|index| set[index] | class[index])
        }
    };
    *set = more;
    Ok(())
}

fn range(set: &mut Set, start: &Element, end: &Element) -> Result<(), Refused> {
    let (start, end) = match (start, end) {
        (Element::Byte(start), Element::Byte(end)) => (*start, *end),
        (Element::Class(_) | Element::Equivalent(_), _)
        | (_, Element::Class(_) | Element::Equivalent(_)) => return Err(BAD_RANGE),
        (Element::Collating, _) | (_, Element::Collating) => return Err(BAD_COLLATION),
    };
    if start > end {
        return Err(BAD_RANGE);
    }
    *set = (start..=end).fold(*set, with);
    Ok(())
}

/// The bytes of a class in the C locale.
pub(super) fn class(name: &[u8], case: Case) -> Result<Set, Refused> {
    let cased = matches!(name, b"upper" | b"lower");
    let name = if cased && case == Case::Ignored { b"alpha" } else { name };
    let is_in: fn(&u8) -> bool = match name {
        b"alnum" => u8::is_ascii_alphanumeric,
        b"cntrl" => u8::is_ascii_control,
        b"lower" => u8::is_ascii_lowercase,
        b"space" => |byte| crate::syntax::is_space(*byte),
        b"alpha" => u8::is_ascii_alphabetic,
        b"digit" => u8::is_ascii_digit,
        b"print" => |byte| matches!(byte, b' '..=b'~'),
        b"upper" => u8::is_ascii_uppercase,
        b"blank" => |byte| matches!(byte, b' ' | b'\t'),
        b"graph" => u8::is_ascii_graphic,
        b"punct" => u8::is_ascii_punctuation,
        b"xdigit" => u8::is_ascii_hexdigit,
        _ => return Err(BAD_CLASS),
    };
    Ok((0..=u8::MAX).filter(is_in).fold(Set::default(), with))
}
