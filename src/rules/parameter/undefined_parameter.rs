//! `$name` of nothing.

use std::collections::BTreeMap;

use crate::config::{Because, Configuration};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix;
use crate::text::{Span, all_nearest};

pub(super) static RULE: Rule = Rule {
    id: "undefined-parameter",
    severity: Severity::Warning,
    summary: "a value refers to a name that nobody sets",
    doc: "
`$name` of a name that is neither a parameter of Postfix nor set in the files
becomes nothing. Postfix says nothing about it; only postconf warns. Variables of
a shell or of a template are a frequent cause: Postfix does not know them.

Where the value says what to take instead, `${name:text}`, or asks whether the
name is set, `${name?text}`, it is advice: that may be meant.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
mydestination = $myhostnam, localhost
#                ^^^^^^^^^ nobody sets myhostnam, so this is empty
",
    good: "
==> main.cf <==
name = mail
mydestination = $myhostname, ${name}.example, $$HOME
relay_domains = $mydestination
==> master.cf <==
smtp      inet  n       -       n       -       -       smtpd
  -o extra=permit_mynetworks
  -o smtpd_client_restrictions=$extra
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(names) = context.names() else { return };
    // One name is one mistake, wherever values refer to it.
    let mut places: BTreeMap<(&str, Severity), Vec<Span>> = BTreeMap::new();
    for it in names.undefined.iter().filter(|it| it.because == Because::Reference) {
        let severity = if is_asked_for(context, it.span) { Severity::Advice } else { Severity::Warning };
        places.entry((&it.name, severity)).or_default().push(it.span);
    }
    for ((name, severity), spans) in places {
        let text = match name {
            "" => "this has no name, so it is empty".to_owned(),
            name => format!("nobody sets {}, so this is empty", crate::text::shortened(name)),
        };
        let finding = findings.milder(severity, spans[0], text.clone());
        for span in &spans[1..] {
            finding.related(*span, text.clone());
        }
        let near = all_nearest(name, known(context), |length| 1 + length / 10);
        if !near.is_empty() {
            finding.help(format!("did you mean {}?", near.join(" or ")));
        }
    }
}

/// `${name?…}` or `${name:…}`
fn is_asked_for(context: &Context<'_>, name: Span) -> bool {
    let behind = &context.sources.source(name.source).bytes()[name.range().end..];
    let sign = behind.iter().find(|byte| !crate::syntax::is_space(**byte));
    let before = context.sources.source(name.source).bytes()[..name.range().start].trim_ascii_end();
    matches!(sign, Some(b'?' | b':')) && matches!(before.last(), Some(b'{' | b'('))
}

/// What Postfix has, and what the files set.
fn known<'c>(context: &'c Context<'_>) -> impl Iterator<Item = &'c str> {
    let build = &context.environment.build;
    let parameters = postfix::parameters().filter(|it| it.exists_in(build)).map(|it| it.name);
    let settings = context.configuration.iter().flat_map(Configuration::all_settings);
    let own = settings.filter(|it| it.parameter.is_none()).filter_map(|it| str::from_utf8(it.name()).ok());
    parameters.chain(own)
}
