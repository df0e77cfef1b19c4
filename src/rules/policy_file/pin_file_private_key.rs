//! Private keys where a public one would do.

use crate::certificate::Kind;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "pin-file-private-key",
    severity: Severity::Advice,
    summary: "a pin is made of a private key",
    doc: "
Whoever knows a server by its key needs no more than its certificate or its public
key. A private key in a file beside the policy is read by more people than it should
be, and soon stands in a repository.

`openssl pkey -in key.pem -pubout` writes the public key.
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
#            ^^^^^^^^ a private key; the public one is enough
==> bank.pem <==
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIKPerb6ba4DelM+C14HU8ojEWn37eRpduPRNVwVbeUZX
-----END PRIVATE KEY-----
",
    good: "
==> postls.yaml <==
version: 1
destinations:
  bank.example:
    level: fingerprint
    pins:
      - pem: bank.pem
==> bank.pem <==
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let destinations = context.policies.iter().flat_map(|it| &it.destinations);
    for pin in destinations.flat_map(|it| it.policy.pins.iter().flat_map(|it| it.iter())) {
        if let (Some(subject), Some(file)) = (pin.subject(), &pin.pem)
            && subject.kind == Kind::PrivateKey
        {
            findings
                .at(file.path.span, "a private key; the public one is enough")
                .help("name the certificate or the public key instead");
        }
    }
}
