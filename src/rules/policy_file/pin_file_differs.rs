//! Fingerprints that are not those of the file beside them.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::ProblemKind;

pub(super) static RULE: Rule = Rule {
    id: "pin-file-differs",
    severity: Severity::Error,
    summary: "a fingerprint is not that of the file beside it",
    doc: "
In one entry `public-key:` or `certificate:` and `pem:` speak of the same key or
certificate: the file is where the fingerprint comes from. If they differ one of them
is old, or of another server, and postls does not guess which.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> postls.yaml <==
version: 1
parameters: {smtp_tls_fingerprint_digest: sha1}
destinations:
  bank.example:
    level: fingerprint
    pins:
      - pem: bank.pem
        public-key: \"AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0:B4:88:CD:9B\"
#                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the public key in \"bank.pem\" has A5:66:BE:19:84:01:73:41:3A:61:04:83:50:EF:F2:3E:8F:E2:22:66
==> bank.pem <==
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----
",
    good: "
==> postls.yaml <==
version: 1
parameters: {smtp_tls_fingerprint_digest: sha1}
destinations:
  bank.example:
    level: fingerprint
    pins:
      - pem: bank.pem
        public-key: [\"A5:66:BE:19:84:01:73:41:3A:61:04:83:50:EF:F2:3E:8F:E2:22:66\", \"06:E3:FD:8F:DA:29:BB:60:AB:59:55:7D:E6:1E:DB:0A:EC:DB:23:11:34:BE:30:E7:5B:45:5F:8E:1B:79:2F:A9\"]
==> bank.pem <==
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    findings.policy_file(context, ProblemKind::PinFileDiffers);
}
