//! A name that Postfix does not have.

use std::collections::BTreeSet;

use crate::finding::{Fix, Safety, Severity};
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::{self, Build};
use crate::text::{Edit, Span, all_nearest};

pub(super) static RULE: Rule = Rule {
    id: "unused-parameter",
    severity: Severity::Error,
    summary: "a name is set that no program of Postfix reads",
    doc: "
Postfix takes any name. One that is no parameter, and that no value refers to,
has no effect; only postconf says so. Names are compared letter by letter:
MyDestination is not mydestination.

It is an error where the name is close to a parameter's that is not set itself,
or is one of a newer Postfix: then somebody counts on it. Otherwise it is a
warning; a script of yours may read the name with postconf(1).
",
    postfix_says: "unused parameter: smtp_tls_securty_level",
    fix: FixKind::Sometimes,
    bad: "
smtp_tls_securty_level = encrypt
#^^^^^^^^^^^^^^^^^^^^^ there is no smtp_tls_securty_level
",
    good: "
smtp_tls_security_level = may
smtpd_restriction_classes = strict
strict = reject_unknown_client_hostname
domains = a.example, b.example
relay_domains = $domains
error_destination_recipient_limit = 2
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let (Some(main), Some(names)) = (&context.configuration, context.names()) else { return };
    let mut meant = BTreeSet::new();
    for setting in main.effective_settings().filter(|it| !names.knows(it.name())) {
        let is_set = |it: &str| main.setting(it).is_some();
        found(context, findings, setting.name(), setting.name_span(), &is_set, &mut meant);
    }
    // postconf reads `-oname=value` in a way of its own: what is no option to a program is left out.
    let real: BTreeSet<Span> = context.all_overrides().iter().map(|it| it.name_span).collect();
    let mut seen = BTreeSet::new();
    for (index, scope) in context.scopes.iter().enumerate() {
        let Some(settings) = &scope.settings else { continue };
        let mut meant = BTreeSet::new();
        for (name, local) in settings.iter().filter(|(name, _)| !names.knows_in(index, name)) {
            if real.contains(&local.name_span) && seen.insert(local.name_span) {
                let is_set = |it: &str| settings.contains_key(it.as_bytes());
                found(context, findings, name, local.name_span, &is_set, &mut meant);
            }
        }
    }
}

/// `meant`: the names that earlier ones will have when they are fixed.
fn found(
    context: &Context<'_>,
    findings: &mut Findings,
    name: &[u8],
    span: Span,
    is_set: &dyn Fn(&str) -> bool,
    meant: &mut BTreeSet<&'static str>,
) {
    let name = String::from_utf8_lossy(name);
    // A finding of its own.
    if name.starts_with('\u{feff}') {
        return;
    }
    let build = &context.environment.build;
    let text = format!("there is no {}", crate::text::shortened(&name));
    if let Some(parameter) = postfix::parameter(&name) {
        match parameter.since.filter(|since| *since > context.version()) {
            Some(since) => findings.at(span, text).help(format!("Postfix has it from {since} on")),
            // Another finding of its own.
            None if parameter.is_deprecated_in(build) => return,
            None => findings.milder(Severity::Warning, span, text).help("this Postfix does not have it"),
        };
        return;
    }
    let near = near(&name, build);
    let missed = near.first().is_some_and(|it| !is_set(it));
    // Any service may have a name like that.
    if context.services.is_none() && (!missed || postfix::may_be_of_service(&name)) {
        return;
    }
    let severity = if missed { Severity::Error } else { Severity::Warning };
    let finding = findings.milder(severity, span, text);
    if let (Some(service), true) = (postfix::of_service(&name).map(|it| it.0), !missed) {
        finding.help(format!("no service in master.cf has the name {service}"));
    } else if !name.is_ascii() {
        finding.help("it has characters that are no ASCII: a blank may be none to Postfix");
    } else if !near.is_empty() {
        finding.help(format!("did you mean {}?", near.join(" or ")));
    }
    if let ([only], true) = (near.as_slice(), missed)
        && meant.insert(only)
    {
        let title = format!("call it {only}");
        finding.fix(Fix { safety: Safety::Unsafe, title, edits: vec![Edit::new(span, *only)] });
    }
}

/// The parameters that a misspelt name may stand for.
fn near(name: &str, build: &Build) -> Vec<&'static str> {
    let names = postfix::parameters().filter(|it| it.exists_in(build)).map(|it| it.name);
    all_nearest(name, names, |length| 1 + length / 10)
}
