//! The name that servers are to show a certificate for.

use super::{each_client, shown};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::row::is_hostname;
use crate::postfix::SecurityLevel;

pub(super) static RULE: Rule = Rule {
    id: "smtp-tls-servername-invalid",
    severity: Severity::Error,
    summary: "smtp_tls_servername is no host name",
    doc: "
smtp(8) tells a server in the TLS handshake which name it expects (SNI). That is a
host name, or one of the words hostname and nexthop. With anything else, such as
an address, brackets or a name with letters that are not ASCII, all mail to
destinations without a `servername=` of their own waits with \"client TLS
configuration problem\".
",
    postfix_says: "specifies an invalid hostname",
    fix: FixKind::Never,
    bad: "
smtp_tls_security_level = may
smtp_tls_servername = [mx.example]
#                     ^^^^^^^^^^^^ \"[mx.example]\" is no host name
",
    good: "
smtp_tls_security_level = may
smtp_tls_servername = hostname
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    each_client(context, &mut |seen| {
        let Some(given) = seen.client.own("tls_servername") else { return };
        let Some(span) = given.set.filter(|_| !given.is_empty() && !is_hostname(&given.value)) else {
            return;
        };
        let in_force = seen.is_at(|level| level != SecurityLevel::None);
        let severity = if in_force { Severity::Error } else { Severity::Warning };
        findings
            .milder(severity, span, format!("\"{}\" is no host name", shown(&given.value)))
            .help("a host name, or hostname, or nexthop");
    });
}
