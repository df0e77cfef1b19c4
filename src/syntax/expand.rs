//! `$name`, `${name?text}`, `${{a} == {b} ? {x} : {y}}`: what a value becomes.
//!
//! Follows `util/mac_parse.c` and `util/mac_expand.c`. An undefined name
//! expands to nothing, which is not an error for Postfix. Where Postfix would
//! run out of memory or stack (values that double with each step, or refer to
//! themselves inside a comparison), postls stops with [`Error::TooDeep`] or
//! [`Error::TooLong`].
//!
//! Known limit: the named functions of Postfix 3.11 (`${domain_to_ascii{…}}`)
//! are not evaluated.

use std::borrow::Cow;
use std::cell::Cell;
use std::cmp::Ordering;
use std::fmt;

use super::is_space;

/// Postfix's own limit on nested references (`mac_expand_callback`).
const MAX_DEPTH: usize = 100;
/// Bytes that may be read in all, far above any real value. Values that double
/// with each step would fill the memory, or keep us for ever if they are empty
/// in the end; Postfix has no limit.
const MAX_WORK: usize = 1 << 24;

/// Why a value cannot be expanded. Postfix programs that read it die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// `$` without a name: at the end, before a blank, `${}`.
    EmptyName,
    /// `${` or `$(` without its end.
    Truncated,
    /// A character in `${…}` that no name has.
    NameSyntax,
    /// `{` without `}` inside `${…}`.
    UnbalancedBraces,
    /// No comparison operator where one must stand, or one with an unknown suffix.
    Operator,
    /// An operand that is not in braces, or no compatibility level or number.
    Operand,
    /// Something behind the last part of `${…}`.
    Garbage,
    /// A reference to itself, or more than 100 levels.
    TooDeep,
    /// More than 16 MiB of text have to be read for it.
    TooLong,
    /// `${name{…}}`, which postls does not evaluate.
    Function,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error::EmptyName => "a \"$\" without a name behind it; a literal one is written \"$$\"",
            Error::Truncated => "a \"${\" or \"$(\" that is not closed",
            Error::NameSyntax => "a character in \"${…}\" that a parameter name cannot have",
            Error::UnbalancedBraces => "a \"{\" inside \"${…}\" that is not closed",
            Error::Operator => "no comparison operator where one must stand",
            Error::Operand => "an operand that cannot be compared",
            Error::Garbage => "text behind the last part of \"${…}\"",
            Error::TooDeep => "a reference to itself, or more than 100 levels of references",
            Error::TooLong => "more than 16 MiB of text",
            Error::Function => "a function, which postls does not evaluate",
        })
    }
}

/// A way to look a name up: its value as written, or `None` if it is undefined.
pub type Lookup<'a> = dyn Fn(&str) -> Option<Cow<'a, [u8]>> + 'a;

/// What is inside a pair of braces, and what follows it.
type Braced<'t> = (&'t [u8], &'t [u8]);

/// Expands all references in `value`, recursively.
pub fn expand(value: &[u8], lookup: &Lookup<'_>) -> Result<Vec<u8>, Error> {
    let mut result = Vec::new();
    let work = Cell::new(0);
    parse(value, lookup, Depth { level: 0, work: &work }, &mut result)?;
    Ok(result)
}

/// How deep we are in references, and what was done for all of them.
#[derive(Clone, Copy)]
struct Depth<'w> {
    level: usize,
    work: &'w Cell<usize>,
}

/// Copies text and hands each reference on (`mac_parse`).
fn parse(
    text: &[u8],
    lookup: &Lookup<'_>,
    depth: Depth<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    depth.work.set(depth.work.get() + text.len() + 1);
    if depth.work.get() > MAX_WORK {
        return Err(Error::TooLong);
    }
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'$', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        let (body, len) = match rest.first() {
            Some(b'$') => {
                out.push(b'$');
                rest = &rest[1..];
                continue;
            }
            Some(open @ (b'{' | b'(')) => {
                let close = if *open == b'{' { b'}' } else { b')' };
                let len = closing(&rest[1..], *open, close).ok_or(Error::Truncated)?;
                (&rest[1..=len], len + 2)
            }
            _ => {
                let len = rest.iter().position(|byte| !is_name(*byte)).unwrap_or(rest.len());
                (&rest[..len], len)
            }
        };
        if body.is_empty() {
            return Err(Error::EmptyName);
        }
        reference(body, lookup, Depth { level: depth.level + 1, ..depth }, out)?;
        rest = &rest[len..];
    }
    out.extend_from_slice(rest);
    Ok(())
}

/// What stands between `${` and `}` (`mac_expand_callback`).
fn reference(
    body: &[u8],
    lookup: &Lookup<'_>,
    depth: Depth<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    if depth.level > MAX_DEPTH {
        return Err(Error::TooDeep);
    }
    let text = skip_blanks(body);
    let (value, rest) = if text.first() == Some(&b'{') {
        let (holds, rest) = comparison(text, lookup, depth)?;
        (Some(Cow::Borrowed(if holds { b"true".as_slice() } else { b"" })), rest)
    } else {
        let len = text.iter().position(|byte| !is_name(*byte)).unwrap_or(text.len());
        let (name, rest) = (&text[..len], skip_blanks(&text[len..]));
        match rest.first() {
            None | Some(b'?' | b':') => {}
            Some(b'{') => return Err(Error::Function),
            Some(_) => return Err(Error::NameSyntax),
        }
        // Names are ASCII: `is_name` let nothing else through.
        (lookup(&String::from_utf8_lossy(name)), rest)
    };
    let is_set = value.as_ref().is_some_and(|value| !value.is_empty());
    let (then, rest) = match rest.split_first() {
        None => return parse(&value.unwrap_or_default(), lookup, depth, out),
        Some((b'?', rest)) => match braced(rest)? {
            Some((then, rest)) => (Some(then), rest),
            None => (Some(rest), &rest[rest.len()..]),
        },
        Some((b':', _)) => (None, rest),
        Some(_) => return Err(Error::Garbage),
    };
    if is_set && let Some(then) = then {
        parse(then, lookup, depth, out)?;
    }
    let otherwise = match rest.split_first() {
        None => return Ok(()),
        Some((b':', rest)) => match braced(rest)? {
            Some((text, [])) => text,
            Some(_) => return Err(Error::Garbage),
            None => rest,
        },
        Some(_) => return Err(Error::Garbage),
    };
    if is_set { Ok(()) } else { parse(otherwise, lookup, depth, out) }
}

/// `{left} operator {right}`: whether it holds, and what follows it.
fn comparison<'t>(
    text: &'t [u8],
    lookup: &Lookup<'_>,
    depth: Depth<'_>,
) -> Result<(bool, &'t [u8]), Error> {
    let (left, rest) = braced(text)?.ok_or(Error::Operand)?;
    let len = rest.iter().position(|byte| !b"<>!=?+-*/~&|%".contains(byte)).unwrap_or(rest.len());
    let (operator, rest) = rest.split_at(len);
    let wanted: fn(Ordering) -> bool = match operator {
        b"==" => Ordering::is_eq,
        b"!=" => Ordering::is_ne,
        b"<" => Ordering::is_lt,
        b"<=" => Ordering::is_le,
        b">=" => Ordering::is_ge,
        b">" => Ordering::is_gt,
        _ => return Err(Error::Operator),
    };
    let len = rest.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(rest.len());
    let (suffix, rest) = rest.split_at(len);
    let (right, rest) = braced(rest)?.ok_or(Error::Operand)?;
    let side = |text| {
        let mut out = Vec::new();
        parse(text, lookup, depth, &mut out).map(|()| out)
    };
    let (left, right) = (side(left)?, side(right)?);
    let order = match suffix {
        b"" => compare(&left, &right)?,
        b"level" => level(&left)?.cmp(&level(&right)?),
        _ => return Err(Error::Operator),
    };
    Ok((wanted(order), rest))
}

/// Numbers if both sides are digits only, else bytes (`mac_exp_eval`).
fn compare(left: &[u8], right: &[u8]) -> Result<Ordering, Error> {
    let all_digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    if all_digits(left) && all_digits(right) {
        return Ok(number(left)?.cmp(&number(right)?));
    }
    Ok(left.cmp(right))
}

/// `M`, `M.N` or `M.N.P` (`global/compat_level.c`).
fn level(text: &[u8]) -> Result<[i64; 3], Error> {
    let mut level = [0; 3];
    for (index, part) in text.split(|byte| *byte == b'.').enumerate() {
        if part.is_empty() || !part.iter().all(u8::is_ascii_digit) {
            return Err(Error::Operand);
        }
        *level.get_mut(index).ok_or(Error::Operand)? = number(part)?;
    }
    Ok(level)
}

fn number(digits: &[u8]) -> Result<i64, Error> {
    str::from_utf8(digits).ok().and_then(|text| text.parse().ok()).ok_or(Error::Operand)
}

/// If `text` begins with blanks and `{`: what is inside the braces, and what
/// follows them and the blanks behind them.
fn braced(text: &[u8]) -> Result<Option<Braced<'_>>, Error> {
    let text = skip_blanks(text);
    if text.first() != Some(&b'{') {
        return Ok(None);
    }
    let len = closing(&text[1..], b'{', b'}').ok_or(Error::UnbalancedBraces)?;
    Ok(Some((&text[1..=len], skip_blanks(&text[len + 2..]))))
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

fn skip_blanks(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !is_space(*byte)).unwrap_or(text.len());
    &text[start..]
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Option<Cow<'static, [u8]>> {
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
            _ => return None,
        };
        Some(Cow::Borrowed(value))
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
        ] {
            let got = expand(text.as_bytes(), &lookup);
            assert_eq!(got, want.map(|it| it.as_bytes().to_vec()), "{text}");
        }
    }

    #[test]
    fn doubling_values_stop() {
        let bomb = |name: &str| {
            let n: usize = name[1..].parse().ok()?;
            let text = if n == 0 { "0123456789".to_owned() } else { format!("$x{0}$x{0}", n - 1) };
            Some(Cow::Owned(text.into_bytes()))
        };
        assert_eq!(expand(b"$x40", &bomb), Err(Error::TooLong));
    }
}
