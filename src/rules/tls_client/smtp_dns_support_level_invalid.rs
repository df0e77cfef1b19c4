//! How the client uses DNS.

use super::{each_client, shown};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "smtp-dns-support-level-invalid",
    severity: Severity::Error,
    summary: "the client's use of DNS is none that Postfix has",
    doc: "
smtp(8) and lmtp(8) exit at their start when they do not know the word; all mail
that they should deliver waits in the queue. `postfix check` says nothing.
",
    postfix_says: "invalid smtp_dns_support_level: \"yes\"",
    fix: FixKind::Never,
    bad: "
smtp_dns_support_level = yes
#                        ^^^ smtp(8) exits on \"yes\"
",
    good: "
smtp_dns_support_level = Disabled
lmtp_dns_support_level =
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    each_client(context, &mut |seen| {
        let Some(given) = seen.client.own("dns_support_level") else { return };
        let known = ["disabled", "enabled", "dnssec"];
        let is_known = known.iter().any(|it| given.value.eq_ignore_ascii_case(it.as_bytes()));
        if let Some(set) = given.set.filter(|_| !given.is_empty() && !is_known) {
            let text = format!("{}(8) exits on \"{}\"", seen.client.program, shown(&given.value));
            findings.at(set, text).help(format!("one of {}", known.join(", ")));
        }
    });
}
