//! `{{ relayhost }}`

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::text::{Span, shortened};

pub(super) static RULE: Rule = Rule {
    id: "template-residue",
    severity: Severity::Warning,
    summary: "a value holds a place that a template should have filled in",
    doc: "
`{{ name }}`, `<% name %>`, `%%NAME%%` and `<no value>` are written by people and
programs that make main.cf from a template. To Postfix they are text like any
other: it looks for a host or a file of that name.

Braces that Postfix itself gives a meaning, as in `inline:{{key = value}}` and
`${name?{text}}`, are not meant.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
relayhost = [{{ relay_host }}]:587
#            ^^^^^^^^^^^^^^^^ this is not filled in
",
    good: "
relay_domains = inline:{{example.com = x}}, ${relayhost?{{a}}:{b}}
milter_macro_daemon_name = {daemon_name}
smtpd_banner = $myhostname <100%> ESMTP
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let main = context.configuration.iter().flat_map(crate::config::Configuration::all_settings);
    let main: Vec<Span> = main.map(|it| it.value_span()).collect();
    let local = context.all_overrides().iter().map(|it| it.value_span);
    for span in main.into_iter().chain(local) {
        let text = context.sources.bytes(span);
        if let Some((start, end)) = residue(text) {
            let start_of_value = span.range().start;
            let span = Span::new(span.source, start_of_value + start..start_of_value + end);
            let shown = shortened(&String::from_utf8_lossy(&text[start..end]));
            findings.at(span, "this is not filled in").help(format!("write what {shown} stands for"));
        }
    }
}

/// The first place that some template would fill in.
fn residue(text: &[u8]) -> Option<(usize, usize)> {
    const MARKS: [(&[u8], &[u8]); 4] =
        [(b"{{", b"}}"), (b"<%", b"%>"), (b"%%", b"%%"), (b"<no value", b">")];
    (0..text.len()).find_map(|at| {
        let (open, close) = MARKS.iter().find(|(open, _)| text[at..].starts_with(open))?;
        let rest = &text[at + open.len()..];
        let length = rest.windows(close.len()).position(|it| it == *close)?;
        // What belongs to Postfix: `${{`, `?{{`, `:{{` and rows of tables.
        let before = at.checked_sub(1).map(|at| text[at]);
        let ours = *open == b"{{" && matches!(before, Some(b'$' | b'?' | b':' | b'{'));
        let name = rest[..length].trim_ascii();
        let name = name.strip_prefix(b"=").unwrap_or(name).trim_ascii();
        let is_name = !name.is_empty() && !name[0].is_ascii_digit()
            && name.iter().all(|it| it.is_ascii_alphanumeric() || b"_.-|@[]'\" ".contains(it));
        let found = !ours && (is_name || *open == b"<no value");
        found.then_some((at, at + open.len() + length + close.len()))
    })
}
