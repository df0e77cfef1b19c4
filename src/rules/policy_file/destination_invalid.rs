//! Keys that smtp(8) never asks for.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::ProblemKind;

pub(super) static RULE: Rule = Rule {
    id: "destination-invalid",
    severity: Severity::Error,
    summary: "a key is no next-hop destination",
    doc: "
smtp(8) looks policies up by the next-hop destination as it is configured: the
recipient domain, or what a transport table or relayhost says, with its brackets
and its port. A key that can never be one is a policy that is never used.

`.example.com` covers the sub-domains of example.com, not example.com itself.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> postls.yaml <==
version: 1
destinations:
  \"*.example.com\": encrypt
# ^^^^^^^^^^^^^^^ \"*\" is no wildcard here; \".example.com\" covers the sub-domains of example.com
",
    good: "
==> postls.yaml <==
version: 1
destinations:
  .example.com: encrypt
  \"[relay.example.net]:587\": secure
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    findings.policy_file(context, ProblemKind::Nexthop);
}
