//! `-o name = value`

use crate::config::Services;
use crate::finding::{Fix, Safety, Severity};
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::syntax::lists::{Assignment, BraceProblem};
use crate::syntax::master_cf::Argument;
use crate::text::{Edit, Span};

pub(super) static RULE: Rule = Rule {
    id: "master-override-malformed",
    severity: Severity::Error,
    summary: "a -o option in master.cf is not name=value",
    doc: "
Behind `-o` stands one word, `name=value` without blanks, or since Postfix 3.0
`{ name = value }`. With blanks outside of braces the program gets a name
without a value and exits at its start. postconf says nothing about it, except
for braces that are not closed; with those master(8) does not start.
",
    postfix_says: "missing '=' after attribute name",
    fix: FixKind::Sometimes,
    bad: "
==> main.cf <==
smtp_tls_loglevel = 1
==> master.cf <==
smtp      inet  n       -       n       -       -       smtpd
  -o smtpd_tls_loglevel = 1
#    ^^^^^^^^^^^^^^^^^^ no \"=value\" in this word
",
    good: "
==> main.cf <==
smtp_tls_loglevel = 1
==> master.cf <==
smtp      inet  n       -       n       -       -       smtpd
  -o { smtpd_tls_loglevel = 1 }
  -osmtpd_tls_CAfile=
  -o smtpd_helo_restrictions=
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(services) = &context.services else { return };
    for service in services.all() {
        for argument in service.arguments() {
            let (range, text) = match argument {
                Argument::Dangling(range) => (range, "nothing behind it"),
                Argument::Override { word, assignment: Assignment { name, value, braces } } => {
                    let text = match (braces, value) {
                        (Some(BraceProblem::Unclosed), _) => "the braces are not closed",
                        (Some(BraceProblem::TextBehind), _) => "text behind the closing brace",
                        (None, _) if name.is_empty() => "no name",
                        (None, None) => "no \"=value\" in this word",
                        (None, Some(_)) => continue,
                    };
                    (word, text)
                }
                Argument::Word(_) => continue,
            };
            let span = services.span(service.locate(range));
            let finding = findings.at(span, text);
            finding.help("write name=value without blanks, or { name = value }");
            finding.fix = in_braces(services, span);
        }
    }
}

/// `name = value` to the end of the line, or to the next option, in braces.
fn in_braces(services: &Services<'_>, name: Span) -> Option<Fix> {
    let bytes = services.bytes();
    let rest = &bytes[name.range().end..];
    let line = rest.split(|it| *it == b'\n').next().unwrap_or_default();
    let (_, value) = str::from_utf8(line).ok()?.split_once('=').filter(|(blanks, _)| blanks.trim().is_empty())?;
    let options = [" -o", " -v", " -D"].into_iter().filter_map(|it| value.find(it));
    let value = options.min().map_or(value, |at| &value[..at]).trim();
    let is_name = bytes[name.range()].iter().all(|it| it.is_ascii_alphanumeric() || *it == b'_');
    let end = name.range().end + rest.windows(value.len().max(1)).position(|it| it == value.as_bytes())? + value.len();
    let fits = is_name && !value.is_empty() && !value.contains(['{', '}', '#', '=']);
    let text = format!("{{ {} = {value} }}", String::from_utf8_lossy(&bytes[name.range()]));
    fits.then(|| Fix {
        safety: Safety::Safe,
        title: "put it in braces".to_owned(),
        edits: vec![Edit::new(Span::new(name.source, name.range().start..end), text)],
    })
}
