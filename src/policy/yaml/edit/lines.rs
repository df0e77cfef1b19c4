//! The lines of a YAML text: where they begin and end, and what of them is blank or a comment.

use std::ops::Range;

/// A text, by lines.
pub(super) struct Lines<'s> {
    text: &'s str,
}

impl<'s> Lines<'s> {
    pub(super) fn new(text: &'s str) -> Lines<'s> {
        Lines { text }
    }

    pub(super) fn text(&self) -> &'s str {
        self.text
    }

    /// Where the line of `at` begins.
    pub(super) fn start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |it| it + 1)
    }

    /// Where the line of `at` ends, before its line end.
    pub(super) fn end(&self, at: usize) -> usize {
        let Some(end) = self.text[at..].find('\n').map(|it| at + it) else {
            return self.text.len();
        };
        if end > at && self.text.as_bytes()[end - 1] == b'\r' { end - 1 } else { end }
    }

    /// Where the next line begins.
    pub(super) fn next(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |it| at + it + 1)
    }

    /// How many letters of the line stand before `at`.
    pub(super) fn column(&self, at: usize) -> usize {
        let before = &self.text[self.start(at)..at];
        before.trim_start_matches('\u{feff}').chars().count()
    }

    /// The blanks before `at`, if nothing else of its line stands there.
    pub(super) fn indent(&self, at: usize) -> Option<&'s str> {
        let before = &self.text[self.start(at)..at];
        before.bytes().all(|it| it == b' ').then_some(before)
    }

    /// The line end that is used at `at`, or else in the file.
    pub(super) fn newline(&self, at: usize) -> &'static str {
        let here = self.text[at..].find('\n').map(|it| at + it);
        let one = here.or_else(|| self.text.find('\n'));
        let before = one.and_then(|it| self.text[..it].chars().next_back());
        if before == Some('\r') { "\r\n" } else { "\n" }
    }

    /// Whether what follows on the line is blank or a comment.
    pub(super) fn is_rest_blank(&self, at: usize) -> bool {
        let rest = &self.text[at..self.end(at)];
        let trimmed = rest.trim_start_matches([' ', '\t']);
        trimmed.is_empty() || (trimmed.starts_with('#') && trimmed.len() < rest.len())
    }

    /// Behind blanks, line ends and comments.
    pub(super) fn skip(&self, at: usize) -> usize {
        let mut at = at;
        loop {
            let rest = &self.text[at..];
            let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n']);
            at += rest.len() - trimmed.len();
            if !trimmed.starts_with('#') {
                return at;
            }
            at = self.end(at);
        }
    }

    /// The end of the last line, from that of `at` on, that is it or a comment below it which is
    /// indented by more than `column`.
    pub(super) fn end_with_own_comments(&self, at: usize, column: usize) -> usize {
        let mut end = self.end(at);
        loop {
            let next = self.next(end);
            let line = &self.text[next..self.end(next)];
            let trimmed = line.trim_start_matches(' ');
            if !trimmed.starts_with('#') || line.len() - trimmed.len() <= column {
                return end;
            }
            end = self.end(next);
        }
    }

    /// The whole lines from `start` to the end of a line: what is left is as if they had never been.
    pub(super) fn whole(&self, start: usize, end: usize) -> Range<usize> {
        let (start, next) = (self.start(start), self.next(end));
        if next > end && self.text[end..next].ends_with('\n') {
            return start..next;
        }
        // The last line has no line end; then the one before it has none afterwards.
        let before = self.text[..start].strip_suffix('\n').unwrap_or(&self.text[..start]);
        before.strip_suffix('\r').unwrap_or(before).len()..self.text.len()
    }
}
