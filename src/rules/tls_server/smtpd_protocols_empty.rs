//! Lists that leave nothing on.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "smtpd-protocols-empty",
    severity: Severity::Error,
    summary: "no TLS protocol is left on",
    doc: "
What the list names, excludes and bounds leaves no protocol on: each client that
says STARTTLS fails in the TLS handshake, and delivers in clear text or not at
all. Of several `>=` or `<=` the last one counts, and all protocols are off that
a list without `!` does not name.
",
    postfix_says: "TLS library problem",
    fix: FixKind::Never,
    bad: "
smtpd_tls_security_level = may
smtpd_tls_protocols = TLSv1.2, !TLSv1.2
#                     ^^^^^^^^^^^^^^^^^ no protocol is left on
",
    good: "
smtpd_tls_security_level = may
smtpd_tls_protocols = TLSv1.2, TLSv1.3, !SSLv3
smtpd_tls_chain_files = /etc/postfix/server.pem
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (set, protocols) in super::valid_protocol_lists(context) {
        if protocols.is_empty() {
            findings.at(set.span, "no protocol is left on").help(super::modern_list(context));
        }
    }
}
