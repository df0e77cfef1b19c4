//! What a pattern's row gives: text with `$1`, `${1}`, `$(1)`, and `$$` for a dollar (`util/mac_parse.c`).

use super::patterns::Dialect;

/// The text behind a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// As it is.
    Text(Vec<u8>),
    /// What a group has matched, from 1.
    Group(usize),
}

/// Reads it; `Err` says what is wrong, in the words of those patterns.
pub(super) fn parse(text: &[u8], dialect: Dialect) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut literal = Vec::new();
    let mut problem = None;
    let mut at = 0;
    while at < text.len() {
        if text[at] != b'$' {
            literal.push(text[at]);
            at += 1;
            continue;
        }
        if text.get(at + 1) == Some(&b'$') {
            literal.push(b'$');
            at += 2;
            continue;
        }
        if !literal.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut literal)));
        }
        let name;
        (name, at) = reference(text, at + 1)?;
        match number(name, dialect) {
            Ok(group) => pieces.push(Piece::Group(group)),
            // Postfix reads on, and so what comes may be worse.
            Err(why) => problem = problem.or(Some(why)),
        }
    }
    if !literal.is_empty() {
        pieces.push(Piece::Text(literal));
    }
    problem.map_or(Ok(pieces), Err)
}

/// The name behind a dollar, and where it ends.
fn reference(text: &[u8], start: usize) -> Result<(&[u8], usize), String> {
    let brackets = match text.get(start) {
        Some(b'(') => Some((b'(', b')')),
        Some(b'{') => Some((b'{', b'}')),
        _ => None,
    };
    let (name, end) = match brackets {
        Some((open, close)) => {
            let mut level = 1_usize;
            let length = text[start + 1..].iter().position(|byte| {
                level += usize::from(*byte == open);
                level -= usize::from(*byte == close);
                level == 0
            });
            let Some(length) = length else { return Err("truncated macro reference".into()) };
            (&text[start + 1..start + 1 + length], start + length + 2)
        }
        None => {
            let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
            let length = text[start..].iter().take_while(|it| is_name(it)).count();
            (&text[start..start + length], start + length)
        }
    };
    if name.is_empty() {
        return Err("empty macro name".into());
    }
    Ok((name, end))
}

fn number(name: &[u8], dialect: Dialect) -> Result<usize, String> {
    let shown = String::from_utf8_lossy(name);
    if !name.iter().all(u8::is_ascii_digit) {
        return Err(format!("non-numeric replacement index \"{shown}\""));
    }
    let saturated = shown.parse::<i64>().unwrap_or(i64::MAX);
    // C's atoi keeps the lower half. A negative number becomes a large one, and is out of range later.
    let bytes = saturated.to_le_bytes();
    match i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) {
        0 => {
            let what = match dialect {
                Dialect::Posix => "out-of-range",
                Dialect::Perl => "out of range",
            };
            Err(format!("{what} replacement index \"{shown}\""))
        }
        index => Ok(usize::try_from(index).unwrap_or(usize::MAX)),
    }
}

/// The largest group that is named; 0 for none.
pub(super) fn largest_group(pieces: &[Piece]) -> usize {
    let group = |piece: &Piece| match piece {
        Piece::Text(_) => 0,
        Piece::Group(group) => *group,
    };
    pieces.iter().map(group).max().unwrap_or(0)
}

/// The text with what the groups have matched.
pub(super) fn expand(pieces: &[Piece], key: &[u8], groups: &[Option<(usize, usize)>]) -> Vec<u8> {
    let mut value = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => value.extend_from_slice(text),
            Piece::Group(group) => {
                let range = groups.get(*group).copied().flatten();
                value.extend_from_slice(range.map_or(&[], |(start, end)| &key[start..end]));
            }
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each row was tried with `postmap -q` of 3.5 to 3.12.
    #[test]
    fn replacements_are_read_as_in_postfix() {
        let text = |text: &str| Piece::Text(text.into());
        for (given, want) in [
            ("", Some(vec![])),
            ("a$$1", Some(vec![text("a$1")])),
            ("a$1b", Some(vec![text("a"), Piece::Group(1)])),
            ("${1}b$(2)", Some(vec![Piece::Group(1), text("b"), Piece::Group(2)])),
            ("$01", Some(vec![Piece::Group(1)])),
            ("$0", None),
            ("$", None),
            ("$x", None),
            ("${1", None),
            ("${}", None),
            ("${{1}}", None),
        ] {
            // `$1b` is one name, as in main.cf.
            let want = if given == "a$1b" { None } else { want };
            assert_eq!(parse(given.as_bytes(), Dialect::Posix).ok(), want, "{given}");
        }
    }
}
