//! Words that are no protocol.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "smtpd-protocol-invalid",
    severity: Severity::Error,
    summary: "the server's list of TLS protocols is not valid",
    doc: "
Where smtpd(8) does not know a word of smtpd_tls_protocols (at level may) or of
smtpd_tls_mandatory_protocols (where TLS is mandatory), it takes nothing of the
list and does without TLS: it still offers STARTTLS, and answers with an error.
`postfix check` says nothing.

The words are SSLv2, SSLv3, TLSv1, TLSv1.1, TLSv1.2 and TLSv1.3, in upper or
lower case; `!` excludes one. From Postfix 3.6 on `>=TLSv1.2` and `<=TLSv1.3`
are bounds, without a blank in between.
",
    postfix_says: "Invalid TLS protocol list \"!SSLv3, !TLSv1.0\": disabling TLS support",
    fix: FixKind::Sometimes,
    bad: "
smtpd_tls_security_level = may
smtpd_tls_protocols = !SSLv3, !TLSv1.0
#                     ^^^^^^^^^^^^^^^^ \"!TLSv1.0\" is no protocol: smtpd(8) does without TLS
",
    good: "
smtpd_tls_security_level = may
smtpd_tls_protocols = !sslv2:!SSLv3, !TLSv1 !TLSv1.1
# not read at level may
smtpd_tls_mandatory_protocols = TLSv1.0
smtpd_tls_chain_files = /etc/postfix/server.pem
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (set, protocols) in super::protocol_lists(context) {
        let Err(problem) = protocols else { continue };
        let word = set.shown_part(problem.word);
        let why = match problem.since {
            Some(since) => format!("\"{word}\" is for Postfix {since} and later"),
            None => format!("\"{word}\" is no protocol"),
        };
        let finding = findings.at(set.span, format!("{why}: smtpd(8) does without TLS"));
        finding.fix = context.rewrite_protocol_list(set.span, &set.text);
    }
}
