//! Level fingerprint, and nothing to compare with.

use crate::config::Configuration;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::row::What;
use crate::postfix::SecurityLevel;

pub(super) static RULE: Rule = Rule {
    id: "fingerprint-without-pins",
    severity: Severity::Error,
    summary: "a policy at level fingerprint has no fingerprint",
    doc: "
smtp(8) compares the server's certificate and key with the fingerprints of the
policy's `match=`, or where it has none, with those of
smtp_tls_fingerprint_cert_match. Where both are missing it defers all mail to the
destination with 4.7.5.
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
    const TEXT: &str = "no fingerprint to compare with";
    for (table, problem) in context.row_problems() {
        if problem.what == What::NoFingerprint
            && !has_common_pins(context.configuration.as_ref(), table.client.unwrap_or("smtp"))
        {
            findings.at(problem.span, TEXT).help("add match=");
        }
    }
    let Some(policies) = context.policies else { return };
    let client = policies.table.client();
    let name = format!("{client}_tls_fingerprint_cert_match");
    let common = match policies.parameters.iter().find(|it| it.name.value == name) {
        Some(wanted) => wanted.value.is_some(),
        None => has_common_pins(context.configuration.as_ref(), client),
    };
    for destination in policies.destinations.iter().filter(|_| !common) {
        let level = destination.policy.level.filter(|it| it.value == SecurityLevel::Fingerprint);
        // A pin that was refused is a finding of its own.
        if let (Some(level), None) = (level, &destination.policy.pins) {
            findings.at(level.span, TEXT).help("add pins:");
        }
    }
}

/// Whether main.cf has fingerprints for all policies that have none of their own.
fn has_common_pins(configuration: Option<&Configuration<'_>>, client: &str) -> bool {
    let name = format!("{client}_tls_fingerprint_cert_match");
    configuration.is_some_and(|it| it.value(&name).0.is_ok_and(|value| !value.trim_ascii().is_empty()))
}
