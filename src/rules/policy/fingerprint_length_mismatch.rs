//! Fingerprints of another digest than the one in force.

use crate::finding::Severity;
use crate::lint::{Context, DigestInForce, Findings, FixKind, Rule};
use crate::policy::row::What;
use crate::postfix::{Digest, Fingerprint};
use crate::text::Span;

pub(super) static RULE: Rule = Rule {
    id: "fingerprint-length-mismatch",
    severity: Severity::Error,
    summary: "a fingerprint is not one of the digest in force",
    doc: "
smtp_tls_fingerprint_digest says which digest the fingerprints of all policies
are made with; its default is md5 below compatibility_level 3.6 and sha256 from
there on. A fingerprint of another length matches nothing; Postfix 3.6 and newer
say so in the log. If a policy has no other one, all mail to the destination waits.

`openssl x509 -noout -fingerprint -sha256 -in server.pem` prints the fingerprint
of a certificate.
",
    postfix_says: "unusable TLSA RR\nServer certificate not verified",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
smtp_tls_fingerprint_digest = sha256
==> tls_policy <==
example.com fingerprint
    match=AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0:B4:88:CD:9B
#         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this is a sha1 fingerprint, and sha256 is in force
",
    good: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
smtp_tls_fingerprint_digest = sha1
==> tls_policy <==
example.com encrypt
# match=AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0:B4:88:CD:9B
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (table, problem) in context.row_problems() {
        if let What::FingerprintLength(fingerprint, digest) = &problem.what {
            let set = context.digest(table.client.unwrap_or("smtp")).set;
            report(findings, problem.span, fingerprint, *digest, set);
        }
    }
    let Some(policies) = context.policies else { return };
    let DigestInForce { digest: Some(digest), set } = context.wanted_digest(policies) else { return };
    let destinations = policies.destinations.iter();
    let pins = destinations.flat_map(|it| it.policy.pins.iter()).flat_map(|it| it.iter());
    let mut fingerprints: Vec<_> = pins.map(|pin| &pin.fingerprint).collect();
    // A profile's pins belong to many destinations.
    fingerprints.sort_by_key(|it| it.span);
    fingerprints.dedup_by_key(|it| it.span);
    for fingerprint in fingerprints {
        if fingerprint.value.length() != digest.length() {
            report(findings, fingerprint.span, &fingerprint.value, digest, set);
        }
    }
}

fn report(findings: &mut Findings, span: Span, fingerprint: &Fingerprint, digest: Digest, set: Option<Span>) {
    let is = match fingerprint.digest() {
        Some(is) => format!("this is a {is} fingerprint"),
        None if fingerprint.length() == 1 => "one byte is no fingerprint".to_owned(),
        None => format!("{} bytes are no fingerprint", fingerprint.length()),
    };
    let finding = findings.at(span, format!("{is}, and {digest} is in force"));
    finding.help(format!("make it with {digest}: {} bytes", digest.length()));
    if let Some(set) = set {
        finding.related(set, "the digest in force");
    }
}
