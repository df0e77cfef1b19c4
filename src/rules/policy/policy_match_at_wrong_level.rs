//! `match=` where nothing is compared.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::row::What;
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
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> tls_policy <==
example.com encrypt
# match=mx.example.com
example.net secure match=mx.example.net:example.net
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (_, problem) in context.row_problems() {
        if let What::MatchAtWrongLevel(level) = &problem.what {
            findings
                .at(problem.span, format!("not at level {level}"))
                .help("use level secure, or leave it out");
        }
    }
    let destinations = context.policies.iter().flat_map(|it| &it.destinations);
    for destination in destinations {
        let Some(level) = destination.policy.level else { continue };
        let names = destination.policy.names.iter().filter_map(|it| it.first());
        let pins = destination.policy.pins.iter().filter_map(|it| it.first());
        let wrong_names = !matches!(level.value, SecurityLevel::Verify | SecurityLevel::Secure);
        let wrong_pins = level.value != SecurityLevel::Fingerprint;
        let names = names.filter(|_| wrong_names).map(|it| (it.span, "match"));
        let pins = pins.filter(|_| wrong_pins).map(|it| (it.fingerprint.span, "pins"));
        for (span, what) in names.chain(pins) {
            findings
                .at(span, format!("no {what} at level {}", level.value))
                .related(level.span, "the level")
                .help(match what {
                    "pins" => "pins belong to level fingerprint",
                    _ => "names belong to the levels verify and secure, pins to fingerprint",
                });
        }
    }
}
