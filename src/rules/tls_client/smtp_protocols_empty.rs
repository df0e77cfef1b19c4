//! Lists that leave nothing on.

use super::{each_client, modern_list, protocol_lists};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::Protocol;

pub(super) static RULE: Rule = Rule {
    id: "smtp-protocols-empty",
    severity: Severity::Error,
    summary: "no TLS protocol is left for the client",
    doc: "
What the list names, excludes and bounds leaves no protocol on, and smtp(8) has
nothing to offer to a server: all mail waits, and at level may it goes out **in
clear text** once it has waited for minimal_backoff_time. Of several `>=` or `<=`
the last one counts, and all protocols are off that a list without `!` does not
name.
",
    postfix_says: "Cannot start TLS: handshake failure",
    fix: FixKind::Never,
    bad: "
smtp_tls_security_level = may
smtp_tls_protocols = TLSv1.2, !TLSv1.2
#                    ^^^^^^^^^^^^^^^^^ no protocol is left on
",
    good: "
smtp_tls_security_level = may
smtp_tls_protocols = TLSv1.2, TLSv1.3, !SSLv3
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    each_client(context, &mut |seen| {
        for (setting, protocols) in protocol_lists(seen) {
            // OpenSSL is built without SSLv3.
            if protocols.enabled().all(|it| it == Protocol::Ssl3) {
                findings
                    .milder(setting.severity, setting.span, "no protocol is left on")
                    .help(modern_list(context));
            }
        }
    });
}
