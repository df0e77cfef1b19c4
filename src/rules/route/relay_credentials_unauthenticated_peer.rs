//! Passwords for whoever answers.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::SecurityLevel;

pub(super) static RULE: Rule = Rule {
    id: "relay-credentials-unauthenticated-peer",
    severity: Severity::Advice,
    summary: "a password is sent to a relay that does not prove who it is",
    doc: "
At level encrypt nobody can listen on the way, but the client takes any certificate:
whoever answers in the relay's place gets the password. Most relays have a
certificate that a public authority signed, and level secure with the relay's name
asks for it: `[relay.example]:587 secure match=relay.example`. It takes
smtp_tls_CAfile or smtp_tls_CApath. Where smtp_sasl_tls_security_options has
`noplaintext`, as by default, the password itself is not sent.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
relayhost = [relay.example]:587
#           ^^^^^^^^^^^^^^^^^^^ the level for \"[relay.example]:587\" is encrypt
smtp_tls_security_level = encrypt
smtp_sasl_auth_enable = yes
smtp_sasl_security_options = noanonymous
smtp_sasl_password_maps = texthash:$config_directory/sasl_passwd
==> sasl_passwd <==
[relay.example]:587 user:password
",
    good: "
==> main.cf <==
relayhost = [relay.example]:587
smtp_tls_security_level = encrypt
smtp_tls_CAfile = /etc/postfix/ca.pem
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
smtp_sasl_auth_enable = yes
smtp_sasl_security_options = noanonymous
smtp_sasl_password_maps = texthash:$config_directory/sasl_passwd
==> tls_policy <==
[relay.example]:587 secure
==> sasl_passwd <==
[relay.example]:587 user:password
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (effective, routes) in context.routes() {
        for route in super::with_password(&routes.routes) {
            let Some((SecurityLevel::Encrypt, set)) = route.level() else { continue };
            if !super::sends_password(&effective, route, "sasl_tls_security_options") {
                continue;
            }
            let destination = super::destination(route);
            let finding =
                findings.at(route.hop.span, format!("the level for \"{destination}\" is encrypt"));
            finding.help("level secure, where the relay's certificate can be verified");
            if let Some(set) = set {
                finding.related(set, "the level is set here");
            }
        }
    }
}
