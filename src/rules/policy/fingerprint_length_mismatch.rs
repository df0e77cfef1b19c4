//! Fingerprints of another digest than the one in force.

use crate::finding::{Fix, Safety, Severity};
use crate::lint::{Context, Findings, FixKind, PolicyProblem, Rule, Within};
use crate::policy::what::{Pin, What};
use crate::postfix::Digest;
use crate::text::Span;

pub(super) static RULE: Rule = Rule {
    id: "fingerprint-length-mismatch",
    severity: Severity::Error,
    summary: "a fingerprint is not one of the digest in force",
    doc: "
smtp_tls_fingerprint_digest says which digest the fingerprints of all policies
are made with; its default is md5 below compatibility_level 3.6 and sha256 from
there on. A fingerprint of another length matches nothing; Postfix 3.6 and newer
say so in the log. If a policy has no other one, all mail to the destination waits;
beside one that counts it is a warning: the day will come on which it is needed.

In the policy file it is an error always, since postls cannot write what the entry
says: an entry needs a fingerprint in the digest in force, beside others or alone, or
the certificate's file in `pem:`, of which postls makes it.

`openssl x509 -noout -fingerprint -sha256 -in server.pem` prints the fingerprint
of a certificate.
",
    postfix_says: "unusable TLSA RR\nServer certificate not verified",
    fix: FixKind::Sometimes,
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
    for found in context.row_problems() {
        let What::Pin(Pin::Length(fingerprint, digest), rest) = &found.problem.what else { continue };
        let span = found.problem.span;
        let is = match fingerprint.digest() {
            Some(is) => format!("this is a {is} fingerprint"),
            None if fingerprint.length() == 1 => "one byte is no fingerprint".to_owned(),
            None => format!("{} bytes are no fingerprint", fingerprint.length()),
        };
        let set = context.set_at(found, "tls_fingerprint_digest");
        let finding = match found.within {
            Within::Table(_) | Within::Value => {
                let text = format!("{is}, and {digest} is in force");
                let finding = findings.milder(super::severity(*rest), span, text);
                finding.help(format!("make it with {digest}: {} bytes", digest.length()));
                finding.fix = separated(context, span, *digest);
                finding
            }
            Within::PolicyFile => {
                let is = given(context, found).unwrap_or(is);
                let way_out = format!("give the {digest} fingerprint beside it, or the file as pem:");
                let parameter = found.client.parameter("tls_fingerprint_digest");
                let help = match set {
                    Some(_) => way_out,
                    None => format!("{way_out}; {digest} is the default, and {parameter} is not set"),
                };
                findings.at(span, format!("{is}, and {digest} is in force")).help(help)
            }
        };
        if let Some(set) = set {
            finding.related(set, "the digest in force");
        }
    }
}

/// The fix for several fingerprints of the right length, with a colon between two.
fn separated(context: &Context<'_>, span: Span, digest: Digest) -> Option<Fix> {
    let text = context.sources.text(span);
    let pairs: Vec<&str> = text.split(':').collect();
    let is_pair = |it: &&str| it.len() == 2;
    let are_several = pairs.len() > digest.length() && pairs.len().is_multiple_of(digest.length());
    if !are_several || !pairs.iter().all(is_pair) {
        return None;
    }
    let bars: Vec<String> = pairs.chunks(digest.length()).map(|it| it.join(":")).collect();
    context.rewrite(span, text.as_bytes(), &bars.join("|"), Safety::Safe)
}

/// The digests that an entry of the policy file has, where they are several.
fn given(context: &Context<'_>, found: PolicyProblem<'_>) -> Option<String> {
    let destination = context.policies?.destinations.get(found.problem.row)?;
    let mut pins = destination.policy.pins.iter().flat_map(|it| it.iter());
    let pin = pins.find(|it| it.place() == found.problem.span)?;
    let digests: Vec<&str> =
        pin.given.iter().filter_map(|it| Some(it.value.digest()?.name())).collect();
    (digests.len() > 1).then(|| format!("{} are given", digests.join(" and ")))
}
