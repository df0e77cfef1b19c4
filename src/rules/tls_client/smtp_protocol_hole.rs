//! A protocol that is off between two that are on.

use super::{each_client, modern_list, names, protocol_lists};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "smtp-protocol-hole",
    severity: Severity::Warning,
    summary: "a protocol is off, and an older one is on",
    doc: "
Who shuts out a protocol means the older ones too, which are weaker. A client has
one range of protocols: where the list has a hole smtp(8) offers what stands below
it, and nothing of what stands above. Most servers take no such old protocol.

Exclude all old protocols: `>=TLSv1.2`, and before Postfix 3.6 `!SSLv2, !SSLv3,
!TLSv1, !TLSv1.1`.
",
    postfix_says: "",
    fix: FixKind::Sometimes,
    bad: "
smtp_tls_security_level = may
smtp_tls_protocols = !SSLv2, !SSLv3, !TLSv1.1
#                    ^^^^^^^^^^^^^^^^^^^^^^^^ TLSv1.1 is off, so smtp(8) offers only TLSv1
",
    good: "
smtp_tls_security_level = may
smtp_tls_protocols = !TLSv1, !TLSv1.1
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    each_client(context, &mut |seen| {
        for (setting, protocols) in protocol_lists(seen) {
            let Some(hole) = protocols.hole() else { continue };
            let usable = protocols.offered().filter(|it| *it != crate::postfix::Protocol::Ssl3);
            let (missing, program, offered) = (hole.missing, seen.client.program, names(usable));
            let text = format!("{missing} is off, so {program}(8) offers only {offered}");
            let finding = findings.at(setting.span, text).help(modern_list(context));
            finding.fix = context.rewrite_protocols(setting.span, &setting.given.value, modern_list(context));
        }
    });
}
