//! Pins that are no fingerprint at all.

use crate::finding::{Safety, Severity};
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::ProblemKind;
use crate::policy::matching;
use crate::policy::what::{Pin, What};
use crate::postfix::Fingerprint;

pub(super) static RULE: Rule = Rule {
    id: "fingerprint-malformed",
    severity: Severity::Error,
    summary: "a pin is no fingerprint",
    doc: "
A fingerprint is pairs of hexadecimal digits, with a colon between two pairs;
3.6 and newer can do without colons. smtp(8) drops another value, with a warning
since 3.6; if a policy has no other one, all mail to the destination waits, and
beside one that counts it is a warning. Several fingerprints in one `match=` are
separated by `|`; a `:` between two makes one that is too long.

In the policy file a fingerprint must have the length of a digest: 16 bytes for md5,
20 for sha1, 28 for sha224, 32 for sha256, 48 for sha384, 64 for sha512; and a pin
needs one, or a file that it is made of.
",
    postfix_says: "malformed fingerprint value\nServer certificate not verified",
    fix: FixKind::Sometimes,
    bad: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
smtp_tls_fingerprint_digest = sha1
==> tls_policy <==
example.com fingerprint match=AD-F3-C3-68-2B-CE-8D-DA-A3-83-AC-84-F6-5B-52-E0-B4-88-CD-9B
#                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ no fingerprint; Postfix drops it
",
    good: "
==> main.cf <==
smtp_tls_CAfile = /etc/postfix/ca.pem
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
smtp_tls_fingerprint_digest = sha1
==> tls_policy <==
example.com secure match=ad-f3-c3.example.com
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for found in context.row_problems() {
        let What::Pin(pin, rest) = &found.problem.what else { continue };
        let text = match pin {
            Pin::Malformed => "no fingerprint; Postfix drops it".to_owned(),
            Pin::Compact => {
                format!("Postfix {} wants a colon between all pairs", context.version())
            }
            Pin::Length(..) => continue,
        };
        let (span, old) = (found.problem.span, context.sources.bytes(found.problem.span));
        let finding = findings.milder(super::severity(*rest), span, text);
        finding.help("pairs of hexadecimal digits with colons between them");
        let colons = context.sources.text(span).replace(['-', '.'], ":");
        if let Some(meant) = Fingerprint::parse(colons.as_bytes()) {
            let meant = meant.to_string();
            if matching::pin(meant.as_bytes(), &found.client.client).is_ok() {
                finding.fix = context.rewrite(span, old, &meant, Safety::Safe);
            }
        }
    }
    findings.policy_file(context, ProblemKind::Pin);
}
