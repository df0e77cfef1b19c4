//! Certificates that nobody can trust.

use super::each_client;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::SecurityLevel;

pub(super) static RULE: Rule = Rule {
    id: "missing-client-ca",
    severity: Severity::Error,
    summary: "certificates are to be trusted, and no authority is known",
    doc: "
At the levels verify and secure smtp(8) takes only certificates whose chain ends
at an authority in smtp_tls_CAfile, smtp_tls_CApath or smtp_tls_trust_anchor_file,
or in `tafile=` of the policy. Without any it trusts no server, and all mail
waits.

tls_append_default_CA adds the system's authorities only to those that are set.
Debian and Red Hat keep a file of their own: /etc/ssl/certs/ca-certificates.crt,
/etc/pki/tls/certs/ca-bundle.crt.
",
    postfix_says: "Server certificate not verified\nServer certificate not trusted",
    fix: FixKind::Never,
    bad: "
smtp_tls_security_level = secure
#                         ^^^^^^ smtp(8) trusts no certificate authority
smtp_tls_CAfile =
",
    good: "
smtp_tls_security_level = secure
smtp_tls_CAfile = /etc/postfix/ca.pem
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    each_client(context, &mut |seen| {
        let client = &seen.client;
        let all = ["tls_CAfile", "tls_CApath", "tls_trust_anchor_file"];
        let mut empty = all.iter().map(|it| client.own(it).is_some_and(|it| it.is_empty()));
        if !empty.all(|it| it) {
            return;
        }
        let needs_one = |level| matches!(level, SecurityLevel::Verify | SecurityLevel::Secure);
        let global = client.level().filter(|it| needs_one(it.level)).and_then(|it| it.given.set);
        // Of policies the same is found with each of them.
        if let Some(span) = global {
            let program = client.program;
            findings
                .at(span, format!("{program}(8) trusts no certificate authority"))
                .help(format!("set {program}_tls_CAfile"));
        }
    });
}
