//! Names that Postfix would rather not see any more.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

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
    fix: FixKind::Never,
    bad: "
smtpd_use_tls = yes
#^^^^^^^^^^^^ smtpd_use_tls is deprecated
",
    good: "
smtpd_tls_security_level = may
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(configuration) = &context.configuration else { return };
    let build = &context.environment.build;
    for setting in configuration.all_settings() {
        let Some(parameter) = setting.parameter else { continue };
        let Some(since) = parameter.deprecated.or(parameter.discouraged) else { continue };
        let exists = parameter.exists_in(build) || parameter.is_legacy_in(build);
        let help = match parameter.instead.and_then(crate::postfix::parameter) {
            Some(instead) if instead.exists_in(build) => match configuration.setting(instead.name) {
                None => format!("set {} instead", instead.name),
                Some(_) => format!("remove it: {} is set too", instead.name),
            },
            None if since <= context.version() => "leave it unset".to_owned(),
            Some(_) | None => continue,
        };
        let text = match exists {
            true => format!("{} is deprecated", parameter.name),
            // Else it is a name like any other that Postfix does not know.
            false if parameter.is_deprecated_in(build) => {
                format!("{} is no longer a parameter of Postfix", parameter.name)
            }
            false => continue,
        };
        let finding = findings.at(setting.name_span(), text);
        finding.help(help);
        let instead = parameter.instead.and_then(|it| configuration.setting(it));
        if let Some(instead) = instead {
            finding.related(instead.name_span(), "its replacement");
        }
    }
}
