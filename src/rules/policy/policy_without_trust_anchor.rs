//! Levels that verify certificates, and nobody who signs them.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::what::{Impossible, What};

pub(super) static RULE: Rule = Rule {
    id: "policy-without-trust-anchor",
    severity: Severity::Error,
    summary: "a policy wants a trusted certificate, and nobody is trusted",
    doc: "
At the levels verify and secure smtp(8) takes only certificates that an authority
has signed whom it trusts: those in smtp_tls_CAfile and smtp_tls_CApath, or the
trust anchors of smtp_tls_trust_anchor_file and of the policy's `tafile=`. Postfix
trusts nobody by default, not even those whom the system trusts;
tls_append_default_CA adds these, but only to one of the first two. Where all are
empty no certificate is ever verified, and all mail to the destination waits with
\"Server certificate not trusted\" or \"not verified\".

On Debian `smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt` is the system's list.
",
    postfix_says: "Server certificate not verified\nServer certificate not trusted",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
smtp_tls_CAfile =
==> tls_policy <==
example.com secure
#           ^^^^^^ nobody is trusted to sign certificates
",
    good: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
smtp_tls_CAfile = $config_directory/ca.pem
==> tls_policy <==
example.com secure
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for found in context.row_problems() {
        if found.problem.what == What::LevelImpossible(Impossible::NobodyTrusted) {
            findings
                .at(found.problem.span, "nobody is trusted to sign certificates")
                .help(format!("set {}_tls_CAfile", found.client.client.name));
        }
    }
}
