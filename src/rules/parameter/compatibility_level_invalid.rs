//! `compatibility_level = yes`

use super::number_invalid::number;
use super::shown;
use crate::config::Within;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::Version;

pub(super) static RULE: Rule = Rule {
    id: "compatibility-level-invalid",
    severity: Severity::Error,
    summary: "compatibility_level is no level",
    doc: "
The level is the version of Postfix whose defaults hold: `2`, `3.6`, `3.7.1`. With
anything else no program of Postfix starts.
",
    postfix_says: "malformed compatibility level syntax: \"v3.6\"
bad numerical configuration: compatibility_level = v3.6",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
==> master.cf <==
smtp unix - - n - - smtp -o compatibility_level=v3.6
#                                               ^^^^ \"v3.6\" is no compatibility level
",
    good: "
compatibility_level = 3.6
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let is_level = if context.version() >= Version::new(3, 6) { is_level } else { is_old_level };
    for view in context.views() {
        let with_settings = view.scopes.iter().filter(|it| it.settings.is_some());
        let places = std::iter::once(Within::Main).chain(with_settings.map(Within::Service));
        for within in places {
            let (value, origin) = view.value("compatibility_level", within);
            let (Ok(value), Some(span)) = (value, origin.span()) else { continue };
            // A comment behind it is a finding of its own.
            let is_commented = context.sources.bytes(span).contains(&b'#');
            if !is_commented && !is_level(&value) {
                findings.at(span, format!("{} is no compatibility level", shown(&value)));
            }
        }
    }
}

/// One to three numbers (`global/compat_level.c`).
fn is_level(value: &[u8]) -> bool {
    let parts: Vec<&[u8]> = value.split(|it| *it == b'.').collect();
    let is_number = |it: &&[u8]| number("", it).is_some_and(|it| it >= 0);
    parts.len() <= 3 && parts.iter().all(is_number)
}

/// A number; of what begins like a later level, the part in front of the dot.
fn is_old_level(value: &[u8]) -> bool {
    let is_later = value.first().is_some_and(u8::is_ascii_digit) && value.contains(&b'.');
    is_later || number("", value).is_some_and(|it| it >= 0)
}
