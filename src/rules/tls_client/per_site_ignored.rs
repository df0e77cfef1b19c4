//! Two generations of policy tables.

use super::{each_client, related};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "per-site-ignored",
    severity: Severity::Error,
    summary: "smtp_tls_per_site is ignored beside smtp_tls_policy_maps",
    doc: "
smtp_tls_per_site is what there was before Postfix 2.3. Where smtp_tls_policy_maps
is set smtp(8) does not look at it, and warns. Write its rows into the policy
table: NONE is none, MAY is may, MUST_NOPEERMATCH is encrypt, MUST is verify.
",
    postfix_says: "smtp_tls_per_site ignored when smtp_tls_policy_maps is not empty",
    fix: FixKind::Never,
    bad: "
smtp_tls_policy_maps = static:encrypt
smtp_tls_per_site = static:NONE
#                   ^^^^^^^^^^^ smtp(8) does not look at it
",
    good: "
smtp_tls_policy_maps = static:encrypt
# smtp_tls_per_site = static:NONE
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    each_client(context, &mut |seen| {
        let client = &seen.client;
        let (Some(per_site), Some(maps)) = (client.own("tls_per_site"), client.own("tls_policy_maps"))
        else {
            return;
        };
        if let Some(set) = per_site.set.filter(|_| !per_site.is_empty() && !maps.is_empty()) {
            let text = format!("{}(8) does not look at it", client.program);
            related(findings.at(set, text), &maps, "this is asked in its place");
        }
    });
}
