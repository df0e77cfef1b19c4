//! Text that must not be empty.

use super::{read_values, refused};
use crate::config::ReadValue;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::Type;
use crate::text::Span;

pub(super) static RULE: Rule = Rule {
    id: "value-empty",
    severity: Severity::Error,
    summary: "a parameter that needs a value has none",
    doc: "
An empty value is not the default: where a parameter must have one, the program
that reads it exits at its start with \"bad string length 0 < 1\". `postfix check`
and `postconf` say nothing. A value is also empty where it refers to a name that
is.

To have the default, remove the line. Where no service in master.cf runs such a
program it is a warning.
",
    postfix_says: "bad string length 0 < 1: smtp_helo_name",
    fix: FixKind::Never,
    bad: "
unused =
smtp_helo_name = $unused
#                ^^^^^^^ smtp_helo_name is empty
",
    good: "
relayhost =
virtual_mailbox_base =
mydestination =
smtpd_sasl_local_domain = $relayhost
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(main) = &context.configuration else { return };
    let mut empty: Vec<ReadValue> = read_values(context, &[Type::String, Type::Raw, Type::Enum]);
    empty.retain(|it| {
        // These are findings of their own.
        let known = it.name == "mynetworks_style" || it.name.starts_with("smtpd_tls_");
        // It is the default: only who uses virtual(8) needs another one.
        let is_default = it.name == "virtual_mailbox_base";
        it.value.is_empty() && !is_default && it.limit.least.is_some() && !known
    });
    let text = |it: &ReadValue| context.sources.bytes(it.span);
    // Where a program reads it comes first: what refers to the same is a part of that finding.
    empty.sort_by_key(|it| (text(it).contains(&b'$'), !it.is_read, it.span));
    let mut said: Vec<Span> = Vec::new();
    for it in &empty {
        let behind: Vec<Span> = main.behind(text(it)).iter().map(crate::config::Setting::value_span).collect();
        let same = |said: &Span| behind.contains(said) || (text(it).contains(&b'$') && context.sources.bytes(*said) == text(it));
        let earlier = said.iter().copied().find(|said| *said != it.span && same(said));
        let found = earlier.and_then(|span| findings.so_far().iter_mut().find(|it| it.primary.span == span));
        match found {
            Some(found) => {
                found.related(it.span, format!("so is {}", it.name));
            }
            None => {
                refused(findings, it, format!("{} is empty", it.name), None);
                said.push(it.span);
            }
        }
    }
}
