//! `match=` where nothing is compared.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::what::What;
use crate::postfix::SecurityLevel;

pub(super) static RULE: Rule = Rule {
    id: "policy-match-at-wrong-level",
    severity: Severity::Error,
    summary: "a policy says whom to trust at a level that trusts anybody",
    doc: "
`match=` belongs to the levels fingerprint, verify and secure. At may, encrypt,
dane and dane-only smtp(8) takes it as a mistake and defers all mail to the
destination with 4.7.5. At level none it is ignored with a warning.

In the policy file the same holds for `match:` and `pins:`; pins belong to level
fingerprint, and names to verify and secure.
",
    postfix_says: "attribute \"match\" invalid at security level \"encrypt\"",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> tls_policy <==
example.com encrypt match=mx.example.com
#                   ^^^^^^^^^^^^^^^^^^^^ not at level encrypt
",
    good: "
==> main.cf <==
smtp_tls_CAfile = /etc/postfix/ca.pem
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> tls_policy <==
example.com encrypt
# match=mx.example.com
example.net secure match=mx.example.net:example.net
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for found in context.row_problems() {
        if let What::MatchAtWrongLevel(level) = &found.problem.what {
            findings
                .at(found.problem.span, format!("not at level {level}"))
                .help("use level secure, or leave it out");
        }
    }
    // In a table both are match=; what they are meant for only the policy file says.
    for destination in context.policies.iter().flat_map(|it| &it.destinations) {
        let Some(level) = destination.policy.level else { continue };
        let names = destination.policy.names.iter().filter_map(|it| it.first());
        let pins = destination.policy.pins.iter().filter_map(|it| it.first());
        let names = names.filter(|_| level.value == SecurityLevel::Fingerprint);
        let pins = pins.filter(|_| level.value != SecurityLevel::Fingerprint);
        let names = names.map(|it| (it.span, "names belong to the levels verify and secure"));
        let pins = pins.map(|it| (it.place(), "pins belong to level fingerprint"));
        for (span, help) in names.chain(pins) {
            findings
                .at(span, format!("not at level {}", level.value))
                .related(level.span, "the level")
                .help(help);
        }
    }
}
