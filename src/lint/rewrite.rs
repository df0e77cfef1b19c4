//! Fixes that write something else for a value, or for a part of one, where it stands.

use super::Context;
use crate::finding::{Fix, Safety};
use crate::postfix::{Protocol, Protocols, Version};
use crate::syntax::lines;
use crate::text::{Edit, Span, all_nearest};

impl Context<'_> {
    /// The edits that remove the lines of an entry or a row, which begins and ends in `range`,
    /// but not the comments between them.
    pub fn without_lines(&self, span: Span) -> Vec<Edit> {
        let bytes = self.sources.source(span.source).bytes();
        let (mut at, end, mut edits) = (span.range().start, span.range().end, Vec::new());
        while at < end {
            let line = at..lines::line_end(bytes, at);
            at = line.end;
            if !lines::is_trivia(&bytes[line.clone()]) {
                edits.push(Edit::new(Span::new(span.source, line), ""));
            }
        }
        edits
    }

    /// The fix that moves what stands from `comment` to the end of its line to a line of its own,
    /// in front of the one that begins at `start`, where an entry begins. `None`: more follows, or
    /// the entry does not stand there as it is.
    pub fn move_comment(&self, start: usize, comment: Span) -> Option<Fix> {
        let bytes = self.sources.source(comment.source).bytes();
        let at = comment.range().start;
        let end = lines::line_end(bytes, at);
        let text = crate::syntax::trim(&bytes[at..end]).1;
        let begins_line = start == 0 || bytes[start - 1] == b'\n';
        let blanks = bytes[..at].iter().rev().take_while(|it| matches!(it, b' ' | b'\t')).count();
        // A comment in a line of its own is none of the value.
        let is_behind = at > blanks && bytes[at - blanks - 1] != b'\n';
        let fits = text.starts_with(b"#") && begins_line && is_behind && start < at;
        fits.then(|| Fix {
            safety: Safety::Safe,
            title: "move the comment to its own line".to_owned(),
            edits: vec![
                Edit::new(Span::new(comment.source, start..start), [text, b"\n"].concat()),
                Edit::new(Span::new(comment.source, at - blanks..at + text.len()), ""),
            ],
        })
    }

    /// The fix that writes `new` for `old`; `None` where `old` does not stand at `span` as it is,
    /// but comes out of an expansion or of the policy file.
    pub fn rewrite(&self, span: Span, old: &[u8], new: &str, safety: Safety) -> Option<Fix> {
        let is_written = self.sources.bytes(span) == old;
        let is_ours = self.postfix_files().contains(&span.source);
        let in_master_cf = self.services.iter().any(|it| it.span(0..0).source == span.source);
        // A blank would end it, unless it has some already and so stands in braces.
        let has_blank = |it: &[u8]| it.iter().any(u8::is_ascii_whitespace);
        let fits = !in_master_cf || !has_blank(new.as_bytes()) || has_blank(old);
        (is_written && is_ours && fits && old != new.as_bytes()).then(|| Fix {
            safety,
            title: format!("write {new}"),
            edits: vec![Edit::new(span, new)],
        })
    }

    /// The fix for a word that should be one of `names`, and is one in quotes or a misspelt one.
    pub fn rewrite_as_one_of(&self, span: Span, old: &[u8], names: &[&str]) -> Option<Fix> {
        let bare = str::from_utf8(old).ok()?.trim_matches(['"', '\'']);
        if let Some(name) = names.iter().find(|it| it.eq_ignore_ascii_case(bare)) {
            return self.rewrite(span, old, name, Safety::Safe);
        }
        match all_nearest(bare, names.iter().copied(), |length| 1.max(length / 3)).as_slice() {
            [only] => self.rewrite(span, old, only, Safety::Unsafe),
            _ => None,
        }
    }

    /// The fix for a list of TLS protocols that should be `new`: with `,` between its words where
    /// a blank would end the value.
    pub fn rewrite_protocols(&self, span: Span, old: &[u8], new: &str) -> Option<Fix> {
        let rewrite = |new: &str| self.rewrite(span, old, new, Safety::Unsafe);
        rewrite(new).or_else(|| rewrite(&new.replace(", ", ",")))
    }

    /// The fix for a list that Postfix does not take: each word that is none gets the name that it
    /// is near to; where only a newer Postfix knows `>=TLSv1.2`, the older ones are excluded instead.
    pub fn rewrite_protocol_list(&self, span: Span, old: &[u8]) -> Option<Fix> {
        let old_text = str::from_utf8(old).ok()?;
        if Protocols::parse(old, Version::NEWEST).is_ok() {
            let floor = old_text.strip_prefix(">=")?;
            let floor =
                Protocol::ALL.iter().position(|it| it.name().eq_ignore_ascii_case(floor))?;
            let older = Protocol::ALL[..floor].iter().map(|it| format!(", !{it}"));
            let new = format!("!SSLv2{}", older.collect::<String>());
            let fix = self.rewrite_protocols(span, old, &new)?;
            return Some(Fix { safety: Safety::Safe, ..fix });
        }
        let mut new = old_text.to_owned();
        while let Err(problem) = Protocols::parse(new.as_bytes(), self.version()) {
            let word = new.get(problem.word.clone())?;
            let name = word.trim_start_matches(['!', '<', '>', '=']);
            let near = match name.to_ascii_lowercase().as_str() {
                "tlsv1.0" | "tls1.0" | "tlsv1_0" | "tls1" => "TLSv1",
                _ => match all_nearest(name, Protocol::ALL.iter().map(|it| it.name()), |_| 1)[..] {
                    [only] if only != name => only,
                    _ => return None,
                },
            };
            let start = problem.word.end - name.len();
            new.replace_range(start..problem.word.end, near);
        }
        self.rewrite(span, old, &new, Safety::Unsafe)
    }

    /// The fix for a bound that a blank separates from its protocol; `bound` is its place in `old`.
    /// A ceiling that is one again lets older protocols in.
    pub fn join_bound(&self, span: Span, old: &[u8], bound: std::ops::Range<usize>) -> Option<Fix> {
        let rest = str::from_utf8(&old[bound.end..]).ok()?;
        let behind = rest.trim_start_matches([' ', '\t']);
        let is_name = behind.starts_with(|it: char| it.is_ascii_alphanumeric());
        let before = str::from_utf8(&old[..bound.end]).ok()?;
        let safety = if before.ends_with(">=") { Safety::Safe } else { Safety::Unsafe };
        self.rewrite(span, old, &format!("{before}{behind}"), safety).filter(|_| is_name)
    }
}
