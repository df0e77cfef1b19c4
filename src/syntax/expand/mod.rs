//! `$name`, `${name?text}`, `${{a} == {b} ? {x} : {y}}`: what a value becomes.
//!
//! Follows `util/mac_parse.c` and `util/mac_expand.c`. An undefined name expands to nothing, which is not an
//! error for Postfix. Where Postfix would run out of memory or stack (values
//! that double with each step, or refer to themselves inside a comparison),
//! postls stops with [`Error::TooDeep`] or [`Error::TooLong`].

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

use super::{is_space, trim};

mod error;
mod operands;

pub use error::Error;

/// Postfix's own limit on nested references (`mac_expand_callback`).
const MAX_DEPTH: usize = 100;
/// Postfix counts anew in each operand of a comparison, and so may recurse
/// until its stack ends. This is above any real value.
const MAX_NESTING: usize = 400;
/// Bytes that may be read in all, far above any real value. Values that double
/// with each step would fill the memory, or keep us for ever if they are empty
/// in the end; Postfix has no limit.
const MAX_WORK: usize = 1 << 22;

/// What a version of Postfix understands.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// `==level` and its like compare compatibility levels: from 3.6 on.
    pub levels: bool,
    /// `${name{…}}` calls a function: from 3.11 on.
    pub functions: bool,
    /// The value of a raw parameter that is referred to stays as it is: from 3.11 on.
    pub raw_stays: bool,
}

/// What a name stands for.
#[derive(Debug)]
pub struct Meaning<'a> {
    /// The value as written.
    pub text: Cow<'a, [u8]>,
    /// Whether it is a raw parameter's, with references of its own kind.
    pub raw: bool,
}

/// A way to look a name up; `None` if it is undefined.
pub type Lookup<'a> = dyn Fn(&str) -> Option<Meaning<'a>> + 'a;

/// Expands all references in `value`, recursively.
pub fn expand(value: &[u8], dialect: Dialect, lookup: &Lookup<'_>) -> Result<Vec<u8>, Error> {
    let mut result = Vec::new();
    let mut walk = Walk { dialect, work: 0, purpose: Purpose::Expand(lookup) };
    let depth = Depth { level: 0, nesting: 0, raw_stays: dialect.raw_stays };
    walk.text(value, 0..value.len(), depth, &mut result)?;
    Ok(result)
}

/// Where the names stand that `value` itself refers to, whatever the
/// conditions around them; up to the first mistake, if there is one.
pub fn names(value: &[u8], dialect: Dialect) -> (Vec<Range<usize>>, Option<Error>) {
    let mut walk = Walk { dialect, work: 0, purpose: Purpose::Scan(Vec::new()) };
    let depth = Depth { level: 0, nesting: 0, raw_stays: false };
    let error = walk.text(value, 0..value.len(), depth, &mut Vec::new()).err();
    match walk.purpose {
        Purpose::Scan(names) => (names, error),
        Purpose::Expand(_) => (Vec::new(), error),
    }
}

/// One way through a value and all that it refers to.
struct Walk<'w, 'a> {
    dialect: Dialect,
    /// Bytes read up to now.
    work: usize,
    purpose: Purpose<'w, 'a>,
}

enum Purpose<'w, 'a> {
    Expand(&'w Lookup<'a>),
    /// The places of names; values are not looked up, and each branch is taken.
    Scan(Vec<Range<usize>>),
}

/// How deep we are in references.
#[derive(Clone, Copy)]
struct Depth {
    /// As Postfix counts.
    level: usize,
    /// In all.
    nesting: usize,
    /// See [`Dialect::raw_stays`]; not so inside a comparison.
    raw_stays: bool,
}

impl Depth {
    fn deeper(self) -> Depth {
        Depth { level: self.level + 1, nesting: self.nesting + 1, ..self }
    }

    /// Inside an operand or an argument, where Postfix begins anew.
    fn anew(self) -> Depth {
        Depth { level: 0, nesting: self.nesting + 1, raw_stays: false }
    }

    fn check(self) -> Result<(), Error> {
        if self.level > MAX_DEPTH || self.nesting > MAX_NESTING {
            return Err(Error::TooDeep);
        }
        Ok(())
    }
}

/// What a reference begins with, and where what follows it begins.
type Head<'t> = (Option<Meaning<'t>>, usize);

impl Walk<'_, '_> {
    /// Copies text and hands each reference on (`mac_parse`).
    fn text(
        &mut self,
        source: &[u8],
        range: Range<usize>,
        depth: Depth,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        self.work += range.len() + 1;
        if self.work > MAX_WORK {
            return Err(Error::TooLong);
        }
        let mut at = range.start;
        let text = &source[..range.end];
        while at < text.len() {
            let length = memchr::memchr(b'$', &text[at..]).unwrap_or(text.len() - at);
            if length > 0 {
                depth.check()?;
                out.extend_from_slice(&text[at..at + length]);
                at += length;
                continue;
            }
            at += 1;
            let (body, end) = match text.get(at) {
                Some(b'$') => {
                    depth.check()?;
                    out.push(b'$');
                    at += 1;
                    continue;
                }
                Some(open @ (b'{' | b'(')) => {
                    let close = if *open == b'{' { b'}' } else { b')' };
                    let length = closing(&text[at + 1..], *open, close).ok_or(Error::Truncated)?;
                    (at + 1..at + 1 + length, at + length + 2)
                }
                _ => {
                    let end = skip(text, at, is_name);
                    (at..end, end)
                }
            };
            if body.is_empty() {
                return Err(Error::EmptyName);
            }
            self.reference(&text[..body.end], body.start, depth, out)?;
            at = end;
        }
        Ok(())
    }

    /// What stands between `${` and `}` (`mac_expand_callback`): from `start`
    /// to the end of `text`.
    fn reference(
        &mut self,
        text: &[u8],
        start: usize,
        depth: Depth,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        depth.check()?;
        let start = skip(text, start, is_space);
        let (meaning, at) = if text.get(start) == Some(&b'{') {
            self.comparison(text, start, depth)?
        } else {
            let name = start..skip(text, start, is_name);
            let at = skip(text, name.end, is_space);
            match text.get(at) {
                None | Some(b'?' | b':') => {}
                Some(b'{') if self.dialect.functions => {
                    return self.function(text, name, at, depth, out);
                }
                Some(_) => return Err(Error::NameSyntax),
            }
            (self.look_up(text, name), at)
        };
        let is_set = meaning.as_ref().is_some_and(|it| !it.text.is_empty());
        let (then, at) = match text.get(at) {
            None => {
                let Some(Meaning { text, raw }) = meaning else { return Ok(()) };
                if raw && depth.raw_stays {
                    out.extend_from_slice(&text);
                    return Ok(());
                }
                return self.text(&text, 0..text.len(), depth.deeper(), out);
            }
            Some(b'?') => match braced(text, at + 1)? {
                Some((then, at)) => (Some(then), at),
                None => (Some(at + 1..text.len()), text.len()),
            },
            Some(b':') => (None, at),
            Some(_) => return Err(Error::Garbage),
        };
        let scans = matches!(self.purpose, Purpose::Scan(_));
        if let Some(then) = then
            && (is_set || scans)
        {
            self.text(text, then, depth.deeper(), out)?;
        }
        let (otherwise, garbage) = match text.get(at) {
            None => return Ok(()),
            Some(b':') => match braced(text, at + 1)? {
                Some((otherwise, at)) => (otherwise, at < text.len()),
                None => (at + 1..text.len(), false),
            },
            Some(_) => return Err(Error::Garbage),
        };
        if !is_set || scans {
            self.text(text, otherwise, depth.deeper(), out)?;
        }
        if garbage { Err(Error::Garbage) } else { Ok(()) }
    }

    fn look_up(&mut self, text: &[u8], name: Range<usize>) -> Option<Meaning<'static>> {
        match &mut self.purpose {
            Purpose::Scan(names) => {
                names.push(name);
                None
            }
            Purpose::Expand(lookup) => {
                // Names are ASCII: `is_name` let nothing else through.
                let Meaning { text, raw } = lookup(&String::from_utf8_lossy(&text[name]))?;
                Some(Meaning { text: Cow::Owned(text.into_owned()), raw })
            }
        }
    }

    /// `{left} operator {right}`, from `at` on: whether it holds, and where it ends.
    fn comparison(&mut self, text: &[u8], at: usize, depth: Depth) -> Result<Head<'static>, Error> {
        let (left, at) = braced(text, at)?.ok_or(Error::Operand)?;
        let end = skip(text, at, |byte| b"<>!=?+-*/~&|%".contains(&byte));
        let wanted: fn(Ordering) -> bool = match &text[at..end] {
            b"==" => Ordering::is_eq,
            b"!=" => Ordering::is_ne,
            b"<" => Ordering::is_lt,
            b"<=" => Ordering::is_le,
            b">=" => Ordering::is_ge,
            b">" => Ordering::is_gt,
            _ => return Err(Error::Operator),
        };
        let at = if self.dialect.levels {
            skip(text, end, |byte| byte.is_ascii_alphanumeric())
        } else {
            end
        };
        let compare: fn(&[u8], &[u8]) -> Result<Ordering, Error> = match &text[end..at] {
            b"" => operands::compare,
            b"level" => |left, right| Ok(operands::level(left)?.cmp(&operands::level(right)?)),
            _ => return Err(Error::Operator),
        };
        let (right, at) = braced(text, at)?.ok_or(Error::Operand)?;
        let [mut left_text, mut right_text] = [Vec::new(), Vec::new()];
        self.text(text, left, depth.anew(), &mut left_text)?;
        self.text(text, right, depth.anew(), &mut right_text)?;
        let holds = match self.purpose {
            Purpose::Scan(_) => return Ok((None, at)),
            Purpose::Expand(_) => wanted(compare(&left_text, &right_text)?),
        };
        let text: &[u8] = if holds { b"true" } else { b"" };
        Ok((Some(Meaning { text: Cow::Borrowed(text), raw: false }), at))
    }

    /// `name{argument}`, the brace at `at`.
    fn function(
        &mut self,
        text: &[u8],
        name: Range<usize>,
        at: usize,
        depth: Depth,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let (argument, at) = braced(text, at)?.ok_or(Error::UnbalancedBraces)?;
        if at < text.len() {
            return Err(Error::Garbage);
        }
        let call = match &text[name] {
            b"domain_to_ascii" => operands::domain_to_ascii,
            b"domain_to_utf8" => operands::domain_to_utf8,
            _ => return Err(Error::UnknownFunction),
        };
        let (start, trimmed) = trim(&text[argument.clone()]);
        let argument = argument.start + start..argument.start + start + trimmed.len();
        let mut value = Vec::new();
        self.text(text, argument, depth.anew(), &mut value)?;
        if matches!(self.purpose, Purpose::Expand(_)) {
            out.append(&mut call(&value)?);
        }
        Ok(())
    }
}

/// If blanks and `{` stand at `at`: what is inside the braces, and what
/// follows them and the blanks behind them.
fn braced(text: &[u8], at: usize) -> Result<Option<(Range<usize>, usize)>, Error> {
    let open = skip(text, at, is_space);
    if text.get(open) != Some(&b'{') {
        return Ok(None);
    }
    let length = closing(&text[open + 1..], b'{', b'}').ok_or(Error::UnbalancedBraces)?;
    let inner = open + 1..open + 1 + length;
    let at = skip(text, inner.end + 1, is_space);
    Ok(Some((inner, at)))
}

/// Where the bracket closes that was opened before `text`.
fn closing(text: &[u8], open: u8, close: u8) -> Option<usize> {
    let mut level = 1;
    for (at, byte) in text.iter().enumerate() {
        if *byte == open {
            level += 1;
        } else if *byte == close {
            level -= 1;
            if level == 0 {
                return Some(at);
            }
        }
    }
    None
}

/// The first place from `at` on whose byte is not one of those.
fn skip(text: &[u8], at: usize, those: impl Fn(u8) -> bool) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| !those(*byte)).unwrap_or(rest.len())
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEWEST: Dialect = Dialect { levels: true, functions: true, raw_stays: true };

    fn lookup(name: &str) -> Option<Meaning<'static>> {
        let value: &[u8] = match name {
            "aa" => b"A",
            "aa_x" => b"long",
            "empty" => b"",
            "ref" => b"<$aa>",
            "self" => b"$self",
            "twin" => b"${{$twin} == {x} ? {a} : {b}}",
            "dollar" => b"$$aa",
            "n" => b"10",
            "level" => b"3.10",
            "raw" => b"$aa${",
            _ => return None,
        };
        Some(Meaning { text: Cow::Borrowed(value), raw: name == "raw" })
    }

    /// Each row was tried with `postconf -x` of 3.5 to 3.12 (`level`: from 3.6).
    #[test]
    fn values_expand_as_in_postfix() {
        for (text, want) in [
            ("plain", Ok("plain")),
            ("$aa_x ${aa}_x $(aa)", Ok("long A_x A")),
            ("${ aa }", Ok("A")),
            ("$my-d", Ok("-d")),
            ("$ref", Ok("<A>")),
            ("$$ $$aa", Ok("$ $aa")),
            ("${aa?yes}${empty?yes}${aa:no}${empty:no}${undefined:no}", Ok("yesnono")),
            ("${aa?{y}:{n}}${empty ? {y} : {n}}", Ok("yn")),
            ("${aa?y:n}", Ok("y:n")),
            ("${aa?{y}}", Ok("y")),
            ("${aa:{n}}${empty:{n}}", Ok("n")),
            ("${{$n} > {9} ? {y} : {n}}", Ok("y")),
            ("${{ A} == {A} ? {y} : {n}}", Ok("n")),
            ("${{a} == {a}}", Ok("true")),
            ("${{a} == {b}}", Ok("")),
            ("${{a} == {a} ? x : y}", Ok(" x : y")),
            ("${{$level} <level {3.6} ? {y} : {n}}", Ok("n")),
            ("${aa}}", Ok("A}")),
            ("$1b", Ok("")),
            ("$dollar", Ok("$aa")),
            ("$", Err(Error::EmptyName)),
            ("${}", Err(Error::EmptyName)),
            ("$ x", Err(Error::EmptyName)),
            ("${aa", Err(Error::Truncated)),
            ("$(aa}", Err(Error::Truncated)),
            ("${aa-x}", Err(Error::NameSyntax)),
            ("${$aa}", Err(Error::NameSyntax)),
            ("${aa?{y}z}", Err(Error::Garbage)),
            ("${{a} = {b} ? {y}}", Err(Error::Operator)),
            ("${{a} < level {b} ? {y}}", Err(Error::Operand)),
            ("${{x} <level {3.6} ? {y}}", Err(Error::Operand)),
            ("${{a} ? {y}}", Err(Error::Operator)),
            ("$self", Err(Error::TooDeep)),
            ("$twin", Err(Error::TooDeep)),
            ("$raw", Ok("$aa${")),
            ("${{$raw} == {A}}", Err(Error::Truncated)),
            ("${domain_to_ascii{ $aa.example }}", Ok("A.example")),
            ("${domain_to_ascii{}}", Err(Error::BadDomain)),
            ("${domain_to_x{a}}", Err(Error::UnknownFunction)),
            ("${domain_to_ascii{a}?b}", Err(Error::Garbage)),
        ] {
            let got = expand(text.as_bytes(), NEWEST, &lookup);
            assert_eq!(got, want.map(|it| it.as_bytes().to_vec()), "{text}");
        }
    }

    #[test]
    fn doubling_values_stop() {
        let bomb = |name: &str| {
            let n: usize = name[1..].parse().ok()?;
            let text = if n == 0 { "0123456789".to_owned() } else { format!("$x{0}$x{0}", n - 1) };
            Some(Meaning { text: Cow::Owned(text.into_bytes()), raw: false })
        };
        assert_eq!(expand(b"$x40", NEWEST, &bomb), Err(Error::TooLong));
    }

    /// Tried with `postconf -nx` of 3.5, 3.7, 3.10 and 3.11.
    #[test]
    fn older_versions_understand_less() {
        let old = Dialect { levels: false, functions: false, raw_stays: false };
        for (text, want) in [
            ("${{3.6} <level {3.10}}", Err(Error::Operand)),
            ("${domain_to_ascii{a}}", Err(Error::NameSyntax)),
            ("$raw", Err(Error::Truncated)),
        ] {
            assert_eq!(expand(text.as_bytes(), old, &lookup), want, "{text}");
        }
    }

    /// A chain of 101 references to text is one too long, to nothing it is not
    /// (tried with `postconf -nx` of 3.5 to 3.12).
    #[test]
    fn a_hundred_levels_are_enough() {
        let chain = |last: &'static str| {
            move |name: &str| {
                let n: usize = name[1..].parse().ok()?;
                let text = if n == 0 { last.to_owned() } else { format!("$x{}", n - 1) };
                Some(Meaning { text: Cow::Owned(text.into_bytes()), raw: false })
            }
        };
        assert_eq!(expand(b"$x99", NEWEST, &chain("y")).as_deref(), Ok(b"y".as_slice()));
        assert_eq!(expand(b"$x100", NEWEST, &chain("y")), Err(Error::TooDeep));
        assert_eq!(expand(b"$x100", NEWEST, &chain("")).as_deref(), Ok(b"".as_slice()));
        assert_eq!(expand(b"$x101", NEWEST, &chain("")), Err(Error::TooDeep));
    }

    #[test]
    fn names_are_found_in_every_branch() {
        let text = "$a ${b?$c}${d:{$e}}${{$f} == {$g} ? {$h} : {$i}} ${domain_to_ascii{$j}}$$k";
        let (names, error) = names(text.as_bytes(), NEWEST);
        let names: Vec<&str> = names.into_iter().map(|it| &text[it]).collect();
        assert_eq!(names.concat(), "abcdefghij");
        assert_eq!(error, None);
    }
}
