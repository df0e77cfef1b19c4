//! Fingerprints for all, and none.

use super::each_client;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::SecurityLevel;

pub(super) static RULE: Rule = Rule {
    id: "global-fingerprint-without-pins",
    severity: Severity::Error,
    summary: "all servers must have a known fingerprint, and none is known",
    doc: "
At level fingerprint smtp(8) compares with the fingerprints in
smtp_tls_fingerprint_cert_match, unless a policy has its own in `match=`. Without
any it tries no server, and all mail waits.
",
    postfix_says: "configured at fingerprint security level, but with no fingerprints to match\nServer certificate not verified",
    fix: FixKind::Never,
    bad: "
smtp_tls_security_level = fingerprint
#                         ^^^^^^^^^^^ no fingerprint to compare with
",
    good: "
smtp_tls_security_level = encrypt
smtp_tls_fingerprint_cert_match =
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    each_client(context, &mut |seen| {
        let client = &seen.client;
        let is_empty = client.own("tls_fingerprint_cert_match").is_some_and(|it| it.is_empty());
        let global = client.level().filter(|it| is_empty && it.level == SecurityLevel::Fingerprint);
        if let Some(set) = global.and_then(|it| it.given.set) {
            findings
                .at(set, "no fingerprint to compare with")
                .help(format!("set {}_tls_fingerprint_cert_match", client.program));
        }
    });
}
