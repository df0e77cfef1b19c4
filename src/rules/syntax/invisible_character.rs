//! A blank that is none.

use crate::config::Setting;
use crate::finding::{Fix, Safety, Severity};
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::syntax::table::Kind;
use crate::text::{Edit, Span};

pub(super) static RULE: Rule = Rule {
    id: "invisible-character",
    severity: Severity::Warning,
    summary: "a word holds a character that does not look like one",
    doc: "
Text that comes from a web page or a word processor brings blanks that are no blanks
to Postfix, characters of no width, and quotes that look like others. They become a
part of the word: the file, host or key of that name does not exist, and two words
with such a blank between them are one.

Looked at are values of parameters that name files, hosts, tables and the like, and keys of
tables; not banners and comments.
",
    postfix_says: "",
    fix: FixKind::Sometimes,
    bad: "
relay_domains = a.example,\u{a0}b.example
#                         ^^ U+00A0 looks like a blank, and is a part of the word
",
    good: "
relay_domains = bücher.example, b.example
# \u{201c}quotes\u{201d}\u{a0}in a comment
smtpd_banner = $myhostname\u{a0}\u{201c}ESMTP\u{201d}
",
    check,
};

/// What a character is taken for, and what was meant.
const CHARACTERS: &[(char, &str, Option<&str>)] = &[
    ('\u{a0}', "looks like a blank, and is a part of the word", Some(" ")),
    ('\u{202f}', "looks like a blank, and is a part of the word", Some(" ")),
    ('\u{3000}', "looks like a blank, and is a part of the word", Some(" ")),
    ('\u{ad}', "is not seen, and is a part of the word", Some("")),
    ('\u{200b}', "is not seen, and is a part of the word", Some("")),
    ('\u{200e}', "is not seen, and is a part of the word", Some("")),
    ('\u{200f}', "is not seen, and is a part of the word", Some("")),
    ('\u{2060}', "is not seen, and is a part of the word", Some("")),
    ('\u{feff}', "is not seen, and is a part of the word", Some("")),
    ('\u{2018}', "is a quote that Postfix takes for a letter", None),
    ('\u{2019}', "is a quote that Postfix takes for a letter", None),
    ('\u{201c}', "is a quote that Postfix takes for a letter", None),
    ('\u{201d}', "is a quote that Postfix takes for a letter", None),
];

/// What the values are about in which such a character makes no sense, and no other rule looks.
const STRICT: &[&str] = &[
    "access-list", "cert-file", "cert-match", "dir", "domain-list", "enum-list", "file", "file-list",
    "interface-list", "map", "maps", "match-list", "milter-list", "name-list", "network-list", "nexthop",
    "restriction-list", "sasl-path", "service-name", "socket", "transport", "user", "user-list",
];

fn check(context: &Context<'_>, findings: &mut Findings) {
    let settings = context.configuration.iter().flat_map(crate::config::Configuration::all_settings);
    for setting in settings.filter(is_strict) {
        if let Some((at, found)) = first(setting.value().text()) {
            add(setting.span_in_value(at), found, findings);
        }
    }
    for table in &context.tables {
        let bytes = context.sources.source(table.source).bytes();
        for row in table.table.rows.iter().filter(|it| it.kind == Kind::Entry) {
            let key = row.key_range(bytes);
            if let Some((at, found)) = first(&bytes[key.clone()]).filter(|it| key.start + it.0.start > 0) {
                add(Span::new(table.source, key.start + at.start..key.start + at.end), found, findings);
            }
        }
    }
}

fn is_strict(setting: &Setting<'_>) -> bool {
    setting.parameter.is_some_and(|it| STRICT.contains(&it.about))
}

type Found = &'static (char, &'static str, Option<&'static str>);

/// The first such character of a text.
fn first(text: &[u8]) -> Option<(std::ops::Range<usize>, Found)> {
    // All of them are in one of these blocks, and hardly any text is.
    let (start, found) = memchr::memchr3_iter(0xc2, 0xe2, 0xe3, text)
        .chain(memchr::memchr_iter(0xef, text))
        .filter_map(|at| {
            let is = |it: &&'static (char, &str, Option<&str>)| {
                text[at..].starts_with(it.0.encode_utf8(&mut [0; 4]).as_bytes())
            };
            Some((at, CHARACTERS.iter().find(is)?))
        })
        .min_by_key(|it| it.0)?;
    Some((start..start + found.0.len_utf8(), found))
}

fn add(span: Span, found: Found, findings: &mut Findings) {
    let (character, says, meant) = found;
    let finding = findings.at(span, format!("U+{:04X} {says}", u32::from(*character)));
    if let Some(meant) = *meant {
        let title = if meant.is_empty() { "remove it" } else { "write a blank instead" };
        finding.fix(Fix {
            safety: Safety::Unsafe,
            title: title.to_owned(),
            edits: vec![Edit::new(span, meant)],
        });
    }
}
