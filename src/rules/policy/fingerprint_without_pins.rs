//! Level fingerprint, and nothing to compare with.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, PolicyProblem, Rule, Within};
use crate::policy::what::What;

pub(super) static RULE: Rule = Rule {
    id: "fingerprint-without-pins",
    severity: Severity::Error,
    summary: "a policy at level fingerprint has no fingerprint",
    doc: "
smtp(8) compares the server's certificate and key with the fingerprints of the
policy's `match=`, or where it has none, with those of
smtp_tls_fingerprint_cert_match. Where both are missing, or main.cf has none of the
digest in force, it defers all mail to the destination with 4.7.5.
",
    postfix_says: "configured at fingerprint security level, but with no fingerprints to match",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> tls_policy <==
example.com fingerprint ciphers=high
#           ^^^^^^^^^^^ no fingerprint to compare with
",
    good: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
smtp_tls_fingerprint_digest = sha1
==> tls_policy <==
example.com encrypt
# fingerprint
#   match=AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0:B4:88:CD:9B
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for found in context.row_problems() {
        // Of pins that cannot be made other rules say why.
        if found.problem.what == What::NoFingerprint && !has_pins(context, found) {
            let help = match found.within {
                Within::Table(_) | Within::Value => "add match=",
                Within::PolicyFile => "add pins:",
            };
            findings.at(found.problem.span, "no fingerprint to compare with").help(help);
        }
    }
}

/// Whether the policy file has entries all the same.
fn has_pins(context: &Context<'_>, found: PolicyProblem<'_>) -> bool {
    let Within::PolicyFile = found.within else { return false };
    let destination = context.policies.and_then(|it| it.destinations.get(found.problem.row));
    destination.is_some_and(|it| it.policy.pins.is_some())
}
