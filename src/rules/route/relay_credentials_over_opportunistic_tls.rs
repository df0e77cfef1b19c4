//! Passwords that may go in clear text.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::SecurityLevel;

pub(super) static RULE: Rule = Rule {
    id: "relay-credentials-over-opportunistic-tls",
    severity: Severity::Warning,
    summary: "a password is sent to a relay with which TLS is not mandatory",
    doc: "
At the levels none, may and dane a client goes on in clear text where the server
does not offer TLS, and whoever sits between the two can make it so. Then the
password for the relay goes in clear text too, unless smtp_sasl_security_options
has `noplaintext`.

Make TLS mandatory for the relay: a row in the TLS policy table under the next hop
as it is written, at level secure where the relay's certificate can be verified, or
at least encrypt.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
relayhost = [relay.example]:587
#           ^^^^^^^^^^^^^^^^^^^ the level for \"[relay.example]:587\" is may
smtp_tls_security_level = may
smtp_sasl_auth_enable = yes
smtp_sasl_security_options = noanonymous
smtp_sasl_password_maps = texthash:$config_directory/sasl_passwd
==> sasl_passwd <==
[relay.example]:587 user:password
",
    good: "
==> main.cf <==
relayhost = [relay.example]:587
smtp_tls_security_level = may
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
smtp_sasl_auth_enable = yes
smtp_sasl_security_options = noanonymous
smtp_sasl_password_maps = texthash:$config_directory/sasl_passwd
==> tls_policy <==
[relay.example]:587 encrypt
==> sasl_passwd <==
[relay.example]:587 user:password
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (effective, routes) in context.routes() {
        for route in super::with_password(&routes.routes) {
            let Some((level, set)) = route.level() else { continue };
            match level {
                SecurityLevel::None | SecurityLevel::May | SecurityLevel::Dane => {}
                SecurityLevel::Encrypt
                | SecurityLevel::DaneOnly
                | SecurityLevel::Fingerprint
                | SecurityLevel::Verify
                | SecurityLevel::Secure => continue,
            }
            let name = route.hop.client.parameter("tls_wrappermode");
            let value = effective.value(&name, route.hop.client.within(&effective)).0;
            // With wrapper mode a client does not even connect at these levels.
            let wrapped = value.is_ok_and(|it| it.eq_ignore_ascii_case(b"yes"));
            if wrapped || !super::sends_password(&effective, route, "sasl_security_options") {
                continue;
            }
            let destination = super::destination(route);
            let text = format!("the level for \"{destination}\" is {level}");
            let finding = findings.at(route.hop.span, text);
            finding.help(format!("a row in the TLS policy table: \"{destination} encrypt\""));
            if let Some(set) = set {
                finding.related(set, "the level is set here");
            }
        }
    }
}
