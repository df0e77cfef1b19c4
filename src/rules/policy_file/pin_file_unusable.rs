//! Files of which no pin can be made.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::ProblemKind;

pub(super) static RULE: Rule = Rule {
    id: "pin-file-unusable",
    severity: Severity::Error,
    summary: "no pin can be made of the file that an entry names",
    doc: "
`pem:` names a PEM file with a certificate, a chain, of which the first certificate
counts, a public key, a request for a certificate, or a private key. The name is
absolute, or relative to the directory of the policy file that says it. postls makes
the fingerprint when it compiles the table, in the digest that is in force then.

It pins the public key, which stays the same when the certificate is renewed with the
same key: that is the better choice. `of: certificate` pins the certificate, and of a
file without one nothing is left to pin.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> postls.yaml <==
version: 1
destinations:
  bank.example:
    level: fingerprint
    pins:
      - pem: bank.pem
      - {pem: bank.pem, of: certificate}
#             ^^^^^^^^ there is no certificate in it, only a key
      - pem: next.pem
#            ^^^^^^^^ there is no such file
==> bank.pem <==
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----
",
    good: "
==> postls.yaml <==
version: 1
destinations:
  bank.example:
    level: fingerprint
    pins:
      - pem: bank.pem
      - public-key: \"AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0:B4:88:CD:9B:09:16:54:5E:CB:B3:7F:0B:E4:73:64:60\"
==> bank.pem <==
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    findings.policy_file(context, ProblemKind::PinFile);
    let Some(policies) = context.policies else { return };
    let client = context.client(policies.table.client()).client;
    if client.known_digest().is_some() {
        return;
    }
    for destination in &policies.destinations {
        for pin in destination.policy.pins.iter().flat_map(|it| it.iter()) {
            if pin.given.is_empty() && pin.subject().is_some() {
                let text = format!("\"{}\" is in force, and postls does not make it", client.digest);
                findings.at(pin.place(), text).help("set the digest to sha256");
            }
        }
    }
}
