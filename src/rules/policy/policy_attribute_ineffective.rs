//! Attributes that change nothing.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::what::{Ineffective, What};

pub(super) static RULE: Rule = Rule {
    id: "policy-attribute-ineffective",
    severity: Severity::Warning,
    summary: "an attribute of a policy changes nothing",
    doc: "
At level none there is no TLS that an attribute could be about: smtp(8) ignores all
of them, whatever they are, with a warning for each message, and delivers in the
clear. Of several connection_reuse= or enable_rpk= the last one counts.
",
    postfix_says: "",
    fix: FixKind::Sometimes,
    bad: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> tls_policy <==
example.com none ciphers=high
#                ^^^^^^^^^^^^ ignored: at level none there is no TLS
",
    good: "
==> main.cf <==
smtp_tls_CAfile = /etc/postfix/ca.pem
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> tls_policy <==
example.com secure match=example.com match=mx.example.com
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for found in context.row_problems() {
        if let What::Ineffective(why) = found.problem.what {
            let text = match why {
                Ineffective::NoTls => "ignored: at level none there is no TLS",
                Ineffective::Overridden => "the one behind it counts",
            };
            findings.at(found.problem.span, text).fix = super::removed(context, found);
        }
    }
}
