//! Names that Postfix would rather not see any more.

use crate::finding::{Finding, Severity};
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::{self, Parameter};
use crate::text::Span;

pub(super) static RULE: Rule = Rule {
    id: "deprecated-parameter",
    severity: Severity::Warning,
    summary: "a deprecated parameter is set",
    doc: "
Postfix still obeys the parameter, and will drop it in a later version
(DEPRECATION_README): postconf warns of it then, and the manual says so before.
Where a replacement is set as well, the deprecated parameter has no effect:
smtpd_use_tls, for one, is ignored beside smtpd_tls_security_level.

A replacement that the assumed Postfix version does not have yet is not asked for.
",
    postfix_says: "",
    fix: FixKind::Sometimes,
    bad: "
smtpd_use_tls = yes
#^^^^^^^^^^^^ smtpd_use_tls is deprecated
",
    good: "
smtpd_tls_security_level = may
smtpd_tls_chain_files = /etc/postfix/server.pem
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(configuration) = &context.configuration else { return };
    for setting in configuration.all_settings() {
        let Some(parameter) = setting.parameter else { continue };
        let instead = parameter.instead.and_then(|it| configuration.setting(it));
        let instead = instead.map(|it| it.name_span());
        if let Some(finding) = found(context, findings, parameter, setting.name_span(), instead) {
            finding.fix = context.replacement(setting, parameter);
        }
    }
    for it in context.all_overrides() {
        let Some(parameter) = postfix::parameter(&it.name) else { continue };
        let beside = context.all_overrides().iter().filter(|other| other.service == it.service);
        let instead = beside.into_iter().find(|other| parameter.instead == Some(&other.name));
        found(context, findings, parameter, it.name_span, instead.map(|it| it.name_span));
    }
}

/// What is found of a parameter that is set, and where its replacement is set beside it.
fn found<'f>(
    context: &Context<'_>,
    findings: &'f mut Findings,
    parameter: &Parameter,
    span: Span,
    beside: Option<Span>,
) -> Option<&'f mut Finding> {
    let build = &context.environment.build;
    let since = parameter.deprecated.or(parameter.discouraged)?;
    let exists = parameter.exists_in(build) || parameter.is_legacy_in(build);
    let help = match parameter.instead.and_then(postfix::parameter) {
        Some(instead) if instead.exists_in(build) => match beside {
            None => format!("set {} instead", instead.name),
            Some(_) => format!("remove it: {} is set too", instead.name),
        },
        None if since <= context.version() => "leave it unset".to_owned(),
        Some(_) | None => return None,
    };
    let text = match exists {
        true => format!("{} is deprecated", parameter.name),
        // Else it is a name like any other that Postfix does not know.
        false if parameter.is_deprecated_in(build) => {
            format!("{} is no longer a parameter of Postfix", parameter.name)
        }
        false => return None,
    };
    let finding = findings.at(span, text).help(help);
    if let Some(beside) = beside {
        finding.related(beside, "its replacement");
    }
    Some(finding)
}
