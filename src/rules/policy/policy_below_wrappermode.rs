//! Wrapper mode, and a policy that could do without TLS.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::what::{Impossible, What};

pub(super) static RULE: Rule = Rule {
    id: "policy-below-wrappermode",
    severity: Severity::Error,
    summary: "a policy allows mail without TLS where every connection begins with TLS",
    doc: "
With `smtp_tls_wrappermode = yes` smtp(8) speaks TLS from the first byte, as
submission servers on port 465 want it. It then needs level encrypt or a stronger one
for every destination; mail to one at level none or may, or at level dane without
DNSSEC lookups, waits.
",
    postfix_says: "smtp_tls_wrappermode requires",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
smtp_tls_security_level = encrypt
smtp_tls_wrappermode = yes
==> tls_policy <==
example.com may
#           ^^^ too weak for smtp_tls_wrappermode
",
    good: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> master.cf <==
smtps unix - - n - - smtp -o smtp_tls_wrappermode=yes -o smtp_tls_policy_maps=
  -o smtp_tls_security_level=encrypt
==> tls_policy <==
example.com may
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for found in context.row_problems() {
        if found.problem.what == What::LevelImpossible(Impossible::BelowWrappermode) {
            let parameter = found.client.parameter("tls_wrappermode");
            let finding = findings.at(found.problem.span, format!("too weak for {parameter}"));
            finding.help("use level encrypt, or a service of its own for port 465");
            if let Some(set) = context.set_at(found, "tls_wrappermode") {
                finding.related(set, "set here");
            }
        }
    }
}
