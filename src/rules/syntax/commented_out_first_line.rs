//! A setting whose first line alone is commented out.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix;
use crate::syntax::{is_space, lines};
use crate::syntax::main_cf::Kind;
use crate::text::{Span, shortened};

pub(super) static RULE: Rule = Rule {
    id: "commented-out-first-line",
    severity: Severity::Warning,
    summary: "lines of a setting that is commented out belong to the setting above",
    doc: "
A comment does not end a logical line: where only the first line of a setting is
commented out, its other lines continue the setting above. The same in
master.cf: the options of a service that is commented out belong to the service
above.

Comment these lines out too.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
mydestination = localhost
#relay_domains = example.com,
  example.net
# ^^^^^^^^^^^ this belongs to mydestination
",
    good: "
mydestination = localhost,
  # the office
  example.com
relay_domains =
#relay_domains = example.com
  example.net
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    if let Some(main) = &context.configuration {
        let bytes = main.bytes();
        for group in &main.main_cf().groups {
            let Kind::Entry(entry) = &group.kind else { continue };
            // An empty first line wants lines below.
            let end = lines::line_end(bytes, entry.name.start);
            let begins = bytes[entry.name.start..end].trim_ascii_end();
            if begins.ends_with(b"=") {
                continue;
            }
            let own = &bytes[entry.name.clone()];
            let other = |text: &[u8]| parameter_in(text).is_some_and(|it| it != own);
            if let Some(range) = continued_behind(bytes, group.range.clone(), other) {
                let own = shortened(&String::from_utf8_lossy(own));
                findings.at(Span::new(main.span(0..0).source, range), format!("this belongs to {own}"));
            }
        }
    }
    let Some(services) = &context.services else { return };
    for group in &services.master_cf().groups {
        let crate::syntax::master_cf::Kind::Service(service) = &group.kind else { continue };
        if let Some(range) = continued_behind(services.bytes(), group.range.clone(), is_service) {
            let service = service.text(services.bytes());
            let name = [service.field(0), b"/", service.field(1)].concat();
            let name = shortened(&String::from_utf8_lossy(&name));
            findings.at(services.span(range), format!("this belongs to {name}"));
        }
    }
}

/// The parameter that a comment sets.
fn parameter_in(comment: &[u8]) -> Option<&[u8]> {
    let end = comment.iter().position(|it| *it == b'=')?;
    let name = comment[..end].trim_ascii();
    postfix::parameter(str::from_utf8(name).ok()?)?;
    Some(name)
}

/// Whether a comment begins a service.
fn is_service(comment: &[u8]) -> bool {
    let fields: Vec<&[u8]> =
        comment.split(|it| is_space(*it)).filter(|it| !it.is_empty()).collect();
    let fits = |(index, name): (usize, &&str)| crate::syntax::master_cf::fits(name, fields[index]);
    fields.len() >= 8 && crate::syntax::master_cf::FIELDS.iter().enumerate().all(fits)
}

/// The first line that continues a group directly behind a comment of this kind.
fn continued_behind(
    bytes: &[u8],
    group: std::ops::Range<usize>,
    is_wanted: impl Fn(&[u8]) -> bool,
) -> Option<std::ops::Range<usize>> {
    let (mut at, mut behind) = (group.start, false);
    while at < group.end {
        let end = lines::line_end(bytes, at);
        let line = &bytes[at..end];
        let text = line.trim_ascii();
        if let Some(comment) = line.strip_prefix(b"#") {
            // A line of the same setting that is commented out too.
            let continues = behind && (comment.starts_with(b"  ") || comment.starts_with(b"\t"));
            behind = continues || is_wanted(comment);
        } else if text.is_empty() || text.starts_with(b"#") {
            behind = false;
        } else if behind && line.first().is_some_and(|it| is_space(*it)) {
            let start = at + line.len() - line.trim_ascii_start().len();
            return Some(start..start + text.len());
        } else {
            behind = false;
        }
        at = end.max(at + 1);
    }
    None
}
