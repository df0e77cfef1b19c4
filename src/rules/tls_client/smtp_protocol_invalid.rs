//! Words that are no protocol.

use super::{each_client, level_settings, shown};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::Protocols;

pub(super) static RULE: Rule = Rule {
    id: "smtp-protocol-invalid",
    severity: Severity::Error,
    summary: "the client's list of TLS protocols is not valid",
    doc: "
smtp(8) looks at smtp_tls_protocols where it uses opportunistic TLS, at
smtp_tls_mandatory_protocols where TLS is mandatory, and only when a session
starts. Where it does not know a word it starts none and all mail waits; at level
may it goes out **in clear text** once it has waited for minimal_backoff_time.
`postfix check` says nothing.

The words are SSLv2, SSLv3, TLSv1, TLSv1.1, TLSv1.2 and TLSv1.3, in upper or lower
case; `!` excludes one. From Postfix 3.6 on `>=TLSv1.2` and `<=TLSv1.3` are bounds,
without a blank in between.
",
    postfix_says: "Invalid TLS protocol list \"!SSLv3, !TLSv1.0\": aborting TLS session",
    fix: FixKind::Sometimes,
    bad: "
smtp_tls_security_level = may
smtp_tls_protocols = !SSLv3, !TLSv1.0
#                    ^^^^^^^^^^^^^^^^ \"!TLSv1.0\" is no protocol: smtp(8) cannot start TLS
",
    good: "
smtp_tls_security_level = may
smtp_tls_protocols = !sslv2:!SSLv3, !TLSv1 !TLSv1.1
# not read at level may
smtp_tls_mandatory_protocols = TLSv1.0
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    each_client(context, &mut |seen| {
        for setting in level_settings(seen, "protocols") {
            let Err(problem) = Protocols::parse(&setting.given.value, context.version()) else { continue };
            let word = shown(&setting.given.value[problem.word]);
            let why = match problem.since {
                Some(since) => format!("\"{word}\" is for Postfix {since} and later"),
                None => format!("\"{word}\" is no protocol"),
            };
            let text = format!("{why}: {}(8) cannot start TLS", seen.client.program);
            let finding = findings.milder(setting.severity, setting.span, text);
            finding.fix = context.rewrite_protocol_list(setting.span, &setting.given.value);
        }
    });
}
