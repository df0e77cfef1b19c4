//! Findings that somebody allows, with a reason: in a comment above the line, or in the policy file
//! for the whole directory.
//!
//! ```text
//! # postls: allow(weak-fingerprint-digest) the partner moves in March until=2027-03-31
//! smtp_tls_fingerprint_digest = sha1
//! ```
//!
//! The comment is one of those directly above a logical line, and allows what is found in that
//! line. A comment that says "postls:" and cannot be understood allows nothing, and is a mistake.

use std::ops::Range;
use std::path::Path;

use memchr::memmem;

use super::{Context, Rule, run_all};
use crate::finding::Finding;
use crate::policy::{Date, Placed};
use crate::syntax::lines::{is_trivia, line_end, logical_lines_from};
use crate::text::{SourceId, Span, shortened};

/// One rule whose findings are allowed.
#[derive(Clone, Debug)]
pub struct Allow {
    /// The name of the rule as it stands there.
    pub rule: Placed<String>,
    /// What it allows.
    pub covers: Covers,
    /// Whether a reason stands there.
    pub reasoned: bool,
    /// The last day on which it allows something.
    pub until: Option<Date>,
}

/// What an allow is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Covers {
    /// The whole directory.
    Directory,
    /// What stands here: from the comment to the end of the logical line below.
    Line(Span),
    /// Nothing: no logical line stands directly below the comment.
    Nothing,
}

/// Everything that is allowed, and the comments that were meant to.
#[derive(Debug, Default)]
pub struct Allows {
    /// In the order of the files.
    pub allows: Vec<Allow>,
    /// Comments that allow nothing: where, and why not.
    pub malformed: Vec<(Span, String)>,
}

impl Allow {
    /// Whether it counts on this day. Where the day is not known, no day has passed.
    pub fn is_in_force(&self, today: Option<Date>) -> bool {
        self.reasoned && !self.has_run_out(today)
    }

    /// Whether its last day has passed.
    pub fn has_run_out(&self, today: Option<Date>) -> bool {
        matches!((self.until, today), (Some(until), Some(today)) if until < today)
    }

    /// Whether it is about this finding.
    pub fn covers(&self, finding: &Finding) -> bool {
        finding.rule == self.rule.value
            && match self.covers {
                Covers::Directory => true,
                Covers::Line(line) => {
                    let span = finding.primary.span;
                    span.source == line.source && line.start <= span.start && span.start < line.end
                }
                Covers::Nothing => false,
            }
    }
}

/// The findings that count.
pub struct Counted {
    /// In the order of the files, each with the severity that it has here.
    pub findings: Vec<Finding>,
    /// How many others there are that somebody allows.
    pub allowed: usize,
}

/// What `rules` find that nobody allows, with the severities that the policy file gives them.
pub fn counted(rules: impl Iterator<Item = &'static Rule>, context: &Context<'_>) -> Counted {
    let mut findings = run_all(rules, context);
    let all = findings.len();
    let allows = context.allows().allows.iter();
    let in_force: Vec<&Allow> = allows.filter(|it| it.is_in_force(context.today)).collect();
    findings.retain(|finding| !in_force.iter().any(|it| it.covers(finding)));
    let allowed = all - findings.len();
    for (rule, severity) in context.policies.iter().flat_map(|it| &it.lint.severity) {
        for finding in findings.iter_mut().filter(|it| it.rule == rule.value) {
            finding.severity = *severity;
        }
    }
    Counted { findings, allowed }
}

/// All allows of a context.
pub(super) fn all(context: &Context<'_>) -> Allows {
    let mut found = Allows::default();
    for allowed in context.policies.iter().flat_map(|it| &it.lint.allow) {
        found.allows.push(Allow {
            rule: allowed.rule.clone(),
            covers: Covers::Directory,
            reasoned: true,
            until: allowed.until,
        });
    }
    let files = context.postfix_files();
    for (source, file) in context.sources.iter() {
        if files.contains(&source) {
            in_comments(source, file.bytes(), &mut found);
        } else if Path::new(file.name()).extension().is_some_and(|it| it == "yaml" || it == "yml") {
            for (_, text) in comments(file.bytes()) {
                let end = text.start + file.bytes()[text.clone()].trim_ascii_end().len();
                let span = Span::new(source, text.start..end);
                let why = "a comment allows nothing in a policy file".to_owned();
                found.malformed.push((span, why));
            }
        }
    }
    found
}

/// What a comment of ours begins with.
const MARK: &[u8] = b"postls:";
/// How it goes on.
const ALLOW: &str = "allow(";

/// The comments of a file that Postfix reads line by line.
fn in_comments(source: SourceId, bytes: &[u8], found: &mut Allows) {
    let mut lines = logical_lines_from(bytes, 0).peekable();
    for (line, text) in comments(bytes) {
        while lines.next_if(|it| it.end as usize <= line.start).is_some() {}
        let below = lines.peek().filter(|it| it.start as usize >= line.end);
        // A blank line between them, or a comment inside a logical line, is above nothing.
        let covers = below
            .filter(|it| is_comments(&bytes[line.end..it.start as usize]))
            .map_or(Covers::Nothing, |it| {
                Covers::Line(Span::new(source, line.start..it.end as usize))
            });
        read(source, bytes, text, covers, found);
    }
}

/// The comments that begin with "postls:": the whole physical line, and what stands behind "postls:".
fn comments(bytes: &[u8]) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
    memmem::find_iter(bytes, MARK).filter_map(move |at| {
        let start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |it| it + 1);
        let before = bytes[start..at].trim_ascii();
        let end = line_end(bytes, start);
        let is_ours = before.first() == Some(&b'#') && before.iter().all(|it| *it == b'#');
        is_ours.then_some((start..end, at + MARK.len()..end))
    })
}

fn is_comments(bytes: &[u8]) -> bool {
    let mut lines = bytes.split_inclusive(|it| *it == b'\n');
    lines.all(|line| !line.trim_ascii().is_empty() && is_trivia(line))
}

/// Reads `allow(rule, rule) reason until=2027-03-31`.
fn read(source: SourceId, bytes: &[u8], text: Range<usize>, covers: Covers, found: &mut Allows) {
    let place = |part: &str, whole: &str| {
        let at = text.start + (part.as_ptr() as usize - whole.as_ptr() as usize);
        Span::new(source, at..at + part.len())
    };
    let Ok(whole) = str::from_utf8(&bytes[text.clone()]) else {
        let span =
            Span::new(source, text.start..text.start + bytes[text.clone()].trim_ascii_end().len());
        found.malformed.push((span, "this is not UTF-8".to_owned()));
        return;
    };
    let said = whole.trim();
    let Some(inside) = said.strip_prefix(ALLOW) else {
        let said = if said.is_empty() { whole.trim_end() } else { said };
        found.malformed.push((place(said, whole), "allow(rule) and a reason come here".to_owned()));
        return;
    };
    let Some((rules, rest)) = inside.split_once(')') else {
        found.malformed.push((place(said, whole), "the parenthesis is not closed".to_owned()));
        return;
    };
    let (mut reasoned, mut until) = (false, None);
    for word in rest.split_ascii_whitespace() {
        let Some(day) = word.strip_prefix("until=") else {
            reasoned = true;
            continue;
        };
        until = Date::parse(day);
        if until.is_none() {
            let text = format!("\"{}\" is no day", shortened(day));
            found.malformed.push((place(day, whole), text));
            return;
        }
    }
    for rule in rules.split(',') {
        let name = rule.trim();
        if name.is_empty() {
            let text = "the name of a rule is missing".to_owned();
            found.malformed.push((place(said, whole), text));
            continue;
        }
        let rule = Placed { value: name.to_owned(), span: place(name, whole) };
        found.allows.push(Allow { rule, covers, reasoned, until });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Sources;

    /// Each allow of a text: the rule, what it covers, whether it has a reason, and its last day.
    fn allows(text: &str) -> (Vec<String>, Vec<String>) {
        let mut sources = Sources::default();
        let id = sources.add("main.cf", text.as_bytes().to_vec());
        let mut found = Allows::default();
        in_comments(id, text.as_bytes(), &mut found);
        let allows = found.allows.iter().map(|it| {
            assert_eq!(sources.text(it.rule.span), it.rule.value);
            let covers = match it.covers {
                Covers::Directory => "everything".to_owned(),
                Covers::Line(span) => {
                    let text = sources.text(span);
                    text[text.rfind('#').map_or(0, |at| at + 1)..].lines().skip(1).collect()
                }
                Covers::Nothing => "nothing".to_owned(),
            };
            let until = it.until.map(|it| it.to_string()).unwrap_or_default();
            format!("{}: {covers}: {} {until}", it.rule.value, it.reasoned)
        });
        let malformed = found.malformed.iter();
        let malformed = malformed.map(|(span, text)| format!("{}: {text}", sources.text(*span)));
        (allows.collect(), malformed.collect())
    }

    #[test]
    fn an_allow_is_about_the_logical_line_directly_below() {
        for (text, want) in [
            ("# postls: allow(x) why\na = b\n", &["x: a = b: true "] as &[&str]),
            ("#postls:allow(x)why\n orphan\nc = d", &["x:  orphan: true "]),
            ("a = b\n#postls:allow(x)why\n c\n", &["x: nothing: true "]),
            ("# postls: allow(x) why\n\na = b\n", &["x: nothing: true "]),
            ("# postls: allow(x) why\n# more\na = b\n c\nd = e\n", &["x: a = b c: true "]),
            (
                "## postls: allow(x) why\n  # postls: allow( y , z )\na = b",
                &["x: a = b: true ", "y: a = b: false ", "z: a = b: false "],
            ),
            (
                "# postls: allow(x) until=2027-03-31 they move\na = b\n# postls: allow(y) last",
                &["x: a = b: true 2027-03-31", "y: nothing: true "],
            ),
            ("# postls: allow(x) until=2027-03-31\na = b\n", &["x: a = b: false 2027-03-31"]),
            ("# see postls: allow(x) why\na = postls: allow(x) why\n", &[]),
        ] {
            let (allows, malformed) = allows(text);
            assert_eq!(allows, want, "{text}");
            assert!(malformed.is_empty(), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_understood_is_said() {
        for (text, want) in [
            ("# postls: alow(x) why\n", "alow(x) why: allow(rule) and a reason come here"),
            ("# postls:\n", ": allow(rule) and a reason come here"),
            ("# postls: allow(x why\n", "allow(x why: the parenthesis is not closed"),
            ("# postls: allow() why\n", "allow() why: the name of a rule is missing"),
            ("# postls: allow(x) why until=soon\n", "soon: \"soon\" is no day"),
        ] {
            let (allows, malformed) = allows(text);
            assert!(allows.is_empty(), "{text}");
            assert_eq!(malformed, [want], "{text}");
        }
    }
}
