//! `>= TLSv1.2` with a blank.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "smtpd-protocol-bound-empty",
    severity: Severity::Warning,
    summary: "a bound has no protocol",
    doc: "
`>=` and `<=` take the protocol that follows without a blank. With one, they are
words of their own and bound nothing, and the protocol behind is the only one
that is on: `>= TLSv1.2` is TLSv1.2 alone, without TLSv1.3.
",
    postfix_says: "",
    fix: FixKind::Sometimes,
    bad: "
smtpd_tls_security_level = may
smtpd_tls_protocols = >= TLSv1.2
#                     ^^^^^^^^^^ \">=\" stands alone and bounds nothing: TLSv1.2 is on
",
    good: "
smtpd_tls_security_level = may
smtpd_tls_protocols = >=TLSv1.2 <=None
smtpd_tls_chain_files = /etc/postfix/server.pem
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (set, protocols) in super::valid_protocol_lists(context) {
        let Some(bound) = protocols.empty_bound() else { continue };
        let on: Vec<&str> = protocols.enabled().map(crate::postfix::Protocol::name).collect();
        let is = if on.len() == 1 { "is" } else { "are" };
        let fix = context.join_bound(set.span, &set.text, bound.clone());
        let (bound, on) = (set.shown_part(bound), on.join(" and "));
        findings
            .at(set.span, format!("\"{bound}\" stands alone and bounds nothing: {on} {is} on"))
            .help("write the protocol behind it without a blank")
            .fix = fix;
    }
}
