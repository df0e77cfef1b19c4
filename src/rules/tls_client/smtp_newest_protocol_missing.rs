//! TLSv1.3 that nobody meant to shut out.

use super::{each_client, modern_list, names, protocol_lists};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "smtp-newest-protocol-missing",
    severity: Severity::Warning,
    summary: "the client does without TLSv1.3, since the list names others",
    doc: "
A list that names protocols without `!` turns off all others: also TLSv1.3, which
was not there when many such lists were written, and whatever comes next. One
name among exclusions is enough, as in `!SSLv2, !SSLv3, TLSv1`.

Name what is too old instead. Who wants TLSv1.3 off says so, `!TLSv1.3` or
`<=TLSv1.2`, and is not found here.
",
    postfix_says: "",
    fix: FixKind::Sometimes,
    bad: "
smtp_tls_security_level = may
smtp_tls_protocols = TLSv1.2, TLSv1.1
#                    ^^^^^^^^^^^^^^^^ smtp(8) offers only TLSv1.1 and TLSv1.2
",
    good: "
smtp_tls_security_level = may
smtp_tls_protocols = TLSv1.2, !TLSv1.3
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    each_client(context, &mut |seen| {
        for (setting, protocols) in protocol_lists(seen) {
            // What a hole or a bound with nothing behind it does is a finding of its own.
            let is_other = protocols.hole().is_some() || protocols.empty_bound().is_some();
            if protocols.forgets_newest() && !is_other && !protocols.is_empty() {
                let (program, offered) = (seen.client.program, names(protocols.offered()));
                let text = format!("{program}(8) offers only {offered}");
                let finding = findings.at(setting.span, text).help(modern_list(context));
                finding.fix = context.rewrite_protocols(setting.span, &setting.given.value, modern_list(context));
            }
        }
    });
}
