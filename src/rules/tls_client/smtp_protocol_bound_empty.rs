//! `>= TLSv1.2` with a blank.

use super::{each_client, names, protocol_lists, shown};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "smtp-protocol-bound-empty",
    severity: Severity::Warning,
    summary: "a bound of the client's protocols has no protocol",
    doc: "
`>=` and `<=` take the protocol that follows without a blank. With one, they are
words of their own and bound nothing, and the protocol behind is the only one
that is on: `>= TLSv1.2` is TLSv1.2 alone, without TLSv1.3.
",
    postfix_says: "",
    fix: FixKind::Sometimes,
    bad: "
smtp_tls_security_level = may
smtp_tls_protocols = >= TLSv1.2
#                    ^^^^^^^^^^ \">=\" stands alone and bounds nothing: smtp(8) offers TLSv1.2
",
    good: "
smtp_tls_security_level = may
smtp_tls_protocols = >=TLSv1.2 <=None
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    each_client(context, &mut |seen| {
        for (setting, protocols) in protocol_lists(seen) {
            let Some(bound) = protocols.empty_bound() else { continue };
            let fix = context.join_bound(setting.span, &setting.given.value, bound.clone());
            let (bound, program) = (shown(&setting.given.value[bound]), seen.client.program);
            let offered = names(protocols.offered());
            let text = format!("\"{bound}\" stands alone and bounds nothing: {program}(8) offers {offered}");
            findings.at(setting.span, text).help("write the protocol behind it without a blank").fix = fix;
        }
    });
}
