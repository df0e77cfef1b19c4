//! Findings for people: the source with marks, by miette.
//!
//! A file may hold anything: what a terminal would obey is shown as `?`, and
//! of a line that is longer than a screen the part around the mark.

use std::collections::HashMap;
use std::fmt::{self, Write};
use std::ops::Range;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError,
    MietteSpanContents, SourceCode, SourceSpan, SpanContents,
};

use super::{NotShown, Report, Style};
use crate::finding::{Finding, Label, Severity};
use crate::text::{Secret, Source, Sources};

/// Of each rule, this many findings are shown in full.
const MAX_OF_A_RULE: usize = 50;
/// Lines longer than this are shown in part.
const MAX_LINE: usize = 160;
/// How far before a mark that part begins.
const BEFORE_MARK: usize = 40;
/// Labels this near to the primary one are shown in the same excerpt.
const NEAR: usize = 2;

/// The findings and the closing lines.
pub fn lint(report: &Report<'_>, style: Style) -> String {
    let mut text = String::new();
    let mut shown: HashMap<&str, usize> = HashMap::new();
    let handler = handler(style);
    for (sources, finding) in &report.findings {
        let count = shown.entry(finding.rule).or_default();
        *count += 1;
        if *count <= MAX_OF_A_RULE {
            // An excerpt that cannot be drawn must not hide the finding.
            let drawn = handler.render_report(&mut text, &View::of(sources, finding));
            if drawn.is_err() {
                let _ = writeln!(
                    text,
                    "{}: {}",
                    finding.severity.name(),
                    printable(&finding.message())
                );
            }
            text.push('\n');
        }
    }
    let mut more: Vec<_> = shown.into_iter().filter(|(_, count)| *count > MAX_OF_A_RULE).collect();
    more.sort_unstable();
    for (rule, count) in more {
        let _ = writeln!(text, "… and {} more of {rule}\n", count - MAX_OF_A_RULE);
    }
    if !style.quiet {
        closing(&mut text, report);
    }
    text
}

/// What a terminal does not obey: control characters and those that change
/// the direction of writing are `?`.
pub fn printable(text: &str) -> String {
    text.chars().map(|it| if is_unsafe(it) { '?' } else { it }).collect()
}

fn is_unsafe(it: char) -> bool {
    it.is_control()
        || matches!(it, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn closing(text: &mut String, report: &Report<'_>) {
    for it in report.not_checked {
        let _ = writeln!(text, "not checked: {}: {}", printable(&it.what), printable(&it.why));
    }
    let NotShown { allowed, in_baseline, gone_from_baseline } = report.not_shown;
    if allowed > 0 {
        let _ = writeln!(text, "allowed: {allowed}");
    }
    if in_baseline + gone_from_baseline > 0 {
        let gone = match gone_from_baseline {
            0 => String::new(),
            gone => format!("; {gone} of it are gone: --write-baseline takes them out"),
        };
        let _ = writeln!(text, "in the baseline: {in_baseline}{gone}");
    }
    let plural = |severity: Severity| {
        let count = report.count(severity);
        let s = if count == 1 || severity == Severity::Advice { "" } else { "s" };
        format!("{count} {}{s}", severity.name())
    };
    let _ = writeln!(
        text,
        "{}, {}, {} (Postfix {}: {})",
        plural(Severity::Error),
        plural(Severity::Warning),
        plural(Severity::Advice),
        report.postfix,
        report.postfix_why
    );
}

fn handler(style: Style) -> GraphicalReportHandler {
    let theme = match (style.unicode, style.color) {
        (true, true) => GraphicalTheme::unicode(),
        (true, false) => GraphicalTheme::unicode_nocolor(),
        (false, true) => GraphicalTheme {
            characters: miette::ThemeCharacters::ascii(),
            ..GraphicalTheme::unicode()
        },
        (false, false) => GraphicalTheme::none(),
    };
    GraphicalReportHandler::new_themed(theme)
        .with_links(false)
        .with_context_lines(1)
        .with_width(100)
}

/// A finding, or one of its related places, as miette wants it.
#[derive(Debug)]
struct View {
    title: String,
    rule: Option<&'static str>,
    severity: miette::Severity,
    help: Option<String>,
    excerpt: Excerpt,
    related: Vec<View>,
}

impl View {
    fn of(sources: &Sources, finding: &Finding) -> View {
        let severity = match finding.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Advice => miette::Severity::Advice,
        };
        let source = sources.of(finding.primary.span);
        let line = source.line_index(finding.primary.span.start);
        let (near, far): (Vec<&Label>, Vec<&Label>) = finding.related.iter().partition(|it| {
            it.span.source == finding.primary.span.source
                && source.line_index(it.span.start).abs_diff(line) <= NEAR
        });
        let labels: Vec<&Label> = std::iter::once(&finding.primary).chain(near).collect();
        let related = far.into_iter().map(|label| View {
            title: "see also".to_owned(),
            rule: None,
            severity: miette::Severity::Advice,
            help: None,
            excerpt: Excerpt::of(sources.of(label.span), &[label]),
            related: Vec::new(),
        });
        View {
            title: finding.summary.to_owned(),
            rule: Some(finding.rule),
            severity,
            help: finding.help.as_deref().map(printable),
            excerpt: Excerpt::of(source, &labels),
            related: related.collect(),
        }
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)
    }
}

impl std::error::Error for View {}

impl Diagnostic for View {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.rule.map(|rule| Box::new(rule) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.excerpt)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.excerpt.labels.iter().cloned()))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        if self.related.is_empty() {
            return None;
        }
        Some(Box::new(self.related.iter().map(|it| it as &dyn Diagnostic)))
    }
}

/// The lines around some labels of one file. miette's own sources read a file
/// from its start for every label, which takes seconds in a large table.
#[derive(Debug)]
struct Excerpt {
    name: String,
    text: String,
    /// Index of the excerpt's first line in the file.
    first_line: usize,
    /// Column of the primary label, from 0, as the file has it.
    column: usize,
    labels: Vec<LabeledSpan>,
}

impl Excerpt {
    /// `labels` stand near each other; the first one is the primary one.
    fn of(source: &Source, labels: &[&Label]) -> Excerpt {
        let lines = labels.iter().map(|it| source.line_index(it.span.start));
        let (low, high) =
            lines.fold((usize::MAX, 0), |(low, high), it| (low.min(it), high.max(it)));
        let around = match source.secret() {
            Secret::No => 1,
            Secret::Yes => 0,
        };
        let first_line = low.saturating_sub(around);
        let last_line = (high + around).min(source.line_count().saturating_sub(1)).max(high);
        let mut excerpt = Excerpt {
            name: printable(source.name()),
            text: String::new(),
            first_line,
            column: source.line_column(labels[0].span.start).1 as usize - 1,
            labels: Vec::new(),
        };
        for index in first_line..=last_line {
            excerpt.add_line(source, index, labels);
        }
        // The primary label first: its place is the one in the head line.
        excerpt.labels.sort_by_key(|it| !it.primary());
        excerpt
    }

    fn add_line(&mut self, source: &Source, index: usize, labels: &[&Label]) {
        let line = source.line_range(index);
        let here: Vec<(usize, &&Label)> = labels
            .iter()
            .enumerate()
            .filter(|(_, it)| source.line_index(it.span.start) == index)
            .collect();
        let line = match source.secret() {
            Secret::No => line,
            Secret::Yes => visible(source, line, &here),
        };
        let mut part = line.clone();
        if line.len() > MAX_LINE {
            let mark = here.first().map_or(line.start, |(_, it)| it.span.start as usize);
            part.start = mark.saturating_sub(BEFORE_MARK).max(line.start);
            part.end = (part.start + MAX_LINE).min(line.end);
        }
        let start = self.text.len();
        self.text.push_str(&same_length(&source.bytes()[part.clone()]));
        for (order, label) in here {
            let range = label.span.range();
            let at = range.start.clamp(part.start, part.end);
            // What goes on in further lines is marked to this one's end.
            let end = range.end.clamp(at, part.end);
            let (at, end) = (start + at - part.start, start + end - part.start);
            let text = Some(printable(&label.text));
            self.labels.push(match order {
                0 => LabeledSpan::new_primary_with_span(text, at..end),
                _ => LabeledSpan::new_with_span(text, at..end),
            });
        }
        self.text.push('\n');
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let inner = self.text.read_span(span, before, after)?;
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            inner.data(),
            *inner.span(),
            self.first_line + inner.line(),
            // Asked without context, this is the place in the head line.
            if before == 0 { self.column } else { inner.column() },
            inner.line_count(),
        )))
    }
}

/// The part of a line with passwords that is shown: a marked key at its beginning.
fn visible(source: &Source, line: Range<usize>, here: &[(usize, &&Label)]) -> Range<usize> {
    let bytes = &source.bytes()[line.clone()];
    let key = bytes.trim_ascii_end().iter().position(u8::is_ascii_whitespace).unwrap_or(0);
    let marked = here.iter().map(|(_, it)| it.span.end as usize).max().unwrap_or(line.start);
    line.start..marked.min(line.start + key)
}

/// The bytes as text of the same length, so that offsets stay: each byte of
/// what is not UTF-8, or not to be shown, is `?`.
fn same_length(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for it in chunk.valid().chars() {
            if is_unsafe(it) && it != '\t' {
                text.extend(std::iter::repeat_n('?', it.len_utf8()));
            } else {
                text.push(it);
            }
        }
        text.extend(std::iter::repeat_n('?', chunk.invalid().len()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Span;

    #[test]
    fn what_a_terminal_obeys_is_not_shown_and_offsets_stay() {
        let bytes = b"a\x1b[31m\xff\tb\xc2\x9bc\xe2\x80\xae";
        let text = same_length(bytes);
        assert_eq!(text, "a?[31m?\tb??c???");
        assert_eq!(text.len(), bytes.len());
    }

    #[test]
    fn of_a_file_with_passwords_only_the_marked_key_is_shown() {
        let mut sources = Sources::default();
        let text =
            b"# old: [a.example] user:hidden\n[relay.example] user:hidden\n  hidden\nuser:hidden\r\n";
        let id = sources.add("sasl_passwd", text.to_vec());
        sources.keep_secret(id);
        let label = |range| Label { span: Span::new(id, range), text: "here".to_owned() };
        let source = sources.source(id);
        for (range, shown) in [
            (31..46, "[relay.example]"),
            // A mark on the value, or on a line that may be nothing but one.
            (31..58, "[relay.example]"),
            (47..58, "[relay.example]"),
            (31..67, "[relay.example]"),
            (61..67, ""),
            (68..79, ""),
        ] {
            let text = Excerpt::of(source, &[&label(range.clone())]).text;
            assert_eq!(text.trim_end(), shown, "{range:?}");
            assert!(!text.contains("hidden"), "{range:?}: {text}");
        }
        let far = Excerpt::of(source, &[&label(31..46), &label(68..72)]).text;
        assert!(!far.contains("hidden"), "{far}");
    }
}
