//! Comments of Postfix's files as comments of a policy file.
//!
//! A policy file is UTF-8, and a control character would end it or its line: bytes that are not
//! UTF-8 are taken for Latin-1, and what YAML does not allow becomes `?`.

use std::ops::Range;

use crate::syntax::lines::{is_trivia, line_end};

/// The comment lines directly above `at`, where a line begins: up to a blank line or another entry.
pub fn above(bytes: &[u8], at: usize) -> Vec<String> {
    let mut comments = Vec::new();
    let mut end = at;
    while end > 0 {
        let start = memchr::memrchr(b'\n', &bytes[..end - 1]).map_or(0, |it| it + 1);
        let Some(text) = comment(&bytes[start..end]) else { break };
        comments.push(text);
        end = start;
    }
    comments.reverse();
    comments
}

/// All comment lines of a part of a file that begins where a line does; an empty text for blank
/// lines between them.
pub fn within(bytes: &[u8], part: Range<usize>) -> Vec<String> {
    let mut comments: Vec<String> = Vec::new();
    let mut at = part.start;
    while at < part.end {
        let end = line_end(bytes, at);
        let line = &bytes[at..end];
        match comment(line) {
            Some(text) => comments.push(text),
            None if is_trivia(line) && comments.last().is_some_and(|it| !it.is_empty()) => {
                comments.push(String::new());
            }
            None => {}
        }
        at = end;
    }
    comments
}

/// A comment line from its `#` on.
fn comment(line: &[u8]) -> Option<String> {
    let line = line.trim_ascii();
    line.starts_with(b"#").then(|| readable(line))
}

/// Any bytes as one line of a policy file.
pub fn readable(bytes: &[u8]) -> String {
    let text = match str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|it| char::from(*it)).collect(),
    };
    let unfit = |it: char| {
        it.is_control()
            || matches!(it, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
    };
    text.chars()
        .map(|it| {
            if it == '\t' {
                ' '
            } else if unfit(it) {
                '?'
            } else {
                it
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_keep_their_text_and_break_no_yaml() {
        let text = b"# a\n\na = b\n# \xe9t\xe9\r\n  # \xc3\xa9 \x1b\x00\tx\nc = d\n";
        let at = text.iter().position(|it| *it == b'c').expect("it is there");
        assert_eq!(above(text, at), ["# \u{e9}t\u{e9}", "# \u{e9} ?? x"]);
        assert_eq!(above(text, 5), [] as [&str; 0], "a blank line ends them");
        let all = within(text, 0..text.len());
        assert_eq!(all, ["# a", "", "# \u{e9}t\u{e9}", "# \u{e9} ?? x"]);
    }
}
