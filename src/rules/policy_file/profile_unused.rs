//! Profiles that no destination uses.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::text::shortened;

pub(super) static RULE: Rule = Rule {
    id: "profile-unused",
    severity: Severity::Advice,
    summary: "no destination uses a profile",
    doc: "
A profile by itself does nothing. Where a destination should have used it, `use:`
is missing there; else it can go.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> postls.yaml <==
version: 1
profiles:
  partner: {level: encrypt, ciphers: high}
# ^^^^^^^ no destination uses \"partner\"
destinations:
  a.example: {level: encrypt}
",
    good: "
==> postls.yaml <==
version: 1
profiles:
  partner: {level: encrypt, ciphers: high}
destinations:
  a.example: {use: partner}
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for profile in context.policies.iter().flat_map(|it| &it.unused_profiles) {
        let text = format!("no destination uses \"{}\"", shortened(&profile.value));
        findings.at(profile.span, text);
    }
}
