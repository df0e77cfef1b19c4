//! Attributes that smtp(8) knows and refuses.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::row::{Refused, What};
use crate::postfix::SecurityLevel;

pub(super) static RULE: Rule = Rule {
    id: "policy-attribute-invalid",
    severity: Severity::Error,
    summary: "an attribute of a policy cannot stand so",
    doc: "
smtp(8) defers all mail to the destination with 4.7.5 where an attribute is
empty that needs a value (ciphers, match, tafile), stands there twice (all but
match, tafile, connection_reuse, enable_rpk, policy_string and mx_host_pattern),
or has a value that it does not take. `tafile=` belongs to the levels verify and
secure. Where `protocols=` or `ciphers=` is none, mail waits only if the level is
mandatory; at level may it goes out without TLS.
",
    postfix_says: "attribute \"ciphers\" has empty value",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> tls_policy <==
example.com encrypt ciphers=
#                   ^^^^^^^^ it needs a value
",
    good: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> tls_policy <==
example.com secure match=example.com match=mx.example.com exclude=
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (_, problem) in context.row_problems() {
        if let What::Refused(why) = &problem.what {
            let text = match why {
                Refused::Empty => "it needs a value".to_owned(),
                Refused::Repeated => "it stands there already".to_owned(),
                Refused::WrongLevel(level) => format!("not at level {level}"),
                Refused::NotYesNo => "it takes yes or no".to_owned(),
                Refused::NotHostname => "it takes a host name".to_owned(),
                Refused::NotGrade => "it takes high, medium, low, export or null".to_owned(),
                Refused::Braces => "the braces stay in the value".to_owned(),
                Refused::NotProtocols => "it takes TLS protocols, with : between them".to_owned(),
            };
            findings.at(problem.span, text);
        }
    }
    for destination in context.policies.iter().flat_map(|it| &it.destinations) {
        let level = destination.policy.level.filter(|it| {
            !matches!(it.value, SecurityLevel::None | SecurityLevel::Verify | SecurityLevel::Secure)
        });
        let tafile = destination.policy.tafiles.as_ref().and_then(|it| it.first());
        if let (Some(level), Some(tafile)) = (level, tafile) {
            findings
                .at(tafile.span, format!("no tafile at level {}", level.value))
                .related(level.span, "the level")
                .help("tafile belongs to the levels verify and secure");
        }
    }
}
