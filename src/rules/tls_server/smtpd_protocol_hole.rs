//! A protocol that is off between two that are on.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "smtpd-protocol-hole",
    severity: Severity::Warning,
    summary: "a protocol is off, and an older one is on",
    doc: "
Who shuts out a protocol means the older ones too, which are weaker. A server
with a hole in its list takes what stands above and below it; many clients have
one range of protocols, and those whose newest one is in the hole fall back to
something older.

Exclude all old protocols: `>=TLSv1.2`, and before Postfix 3.6 `!SSLv2, !SSLv3,
!TLSv1, !TLSv1.1`.
",
    postfix_says: "",
    fix: FixKind::Sometimes,
    bad: "
smtpd_tls_security_level = may
smtpd_tls_protocols = !SSLv2, !SSLv3, !TLSv1.1
#                     ^^^^^^^^^^^^^^^^^^^^^^^^ TLSv1.1 is off, and the older TLSv1 is on
",
    good: "
smtpd_tls_security_level = may
smtpd_tls_protocols = !TLSv1, !TLSv1.1
smtpd_tls_chain_files = /etc/postfix/server.pem
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (set, protocols) in super::valid_protocol_lists(context) {
        if let Some(hole) = protocols.hole() {
            let text = format!("{} is off, and the older {} is on", hole.missing, hole.below);
            let modern = super::modern_list(context);
            let finding = findings.at(set.span, text).help(modern);
            finding.fix = context.rewrite_protocols(set.span, &set.text, modern);
        }
    }
}
