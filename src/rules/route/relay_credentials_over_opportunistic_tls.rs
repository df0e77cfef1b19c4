//! Passwords that may go in clear text.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::SecurityLevel;
use crate::syntax::lists::{self, COMMA_SPACE};

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
        for route in super::with_password(context, &effective, &routes.routes) {
            let Some((level, set)) = route.level() else { continue };
            match level {
                SecurityLevel::None | SecurityLevel::May | SecurityLevel::Dane => {}
                SecurityLevel::Encrypt
                | SecurityLevel::DaneOnly
                | SecurityLevel::Fingerprint
                | SecurityLevel::Verify
                | SecurityLevel::Secure => continue,
            }
            let within = route.hop.client.within(&effective);
            let value = |rest: &str| {
                effective.value(&route.hop.client.parameter(rest), within).0.unwrap_or_default()
            };
            let wrapped = value("tls_wrappermode").eq_ignore_ascii_case(b"yes");
            // With wrapper mode a client does not even connect at these levels.
            if wrapped || !sends_passwords(&value) {
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

/// Whether a mechanism with the password itself may be used without TLS.
fn sends_passwords(value: &dyn Fn(&str) -> Vec<u8>) -> bool {
    let words = |rest: &str| {
        let value = value(rest).to_ascii_lowercase();
        let words = lists::words(&value, COMMA_SPACE).map(|it| value[it].to_vec());
        words.collect::<Vec<_>>()
    };
    let mechanisms = words("sasl_mechanism_filter");
    let allowed = |it: &&Vec<u8>| !it.starts_with(b"!");
    let safe: [&[u8]; 5] = [b"cram-md5", b"digest-md5", b"external", b"gssapi", b"ntlm"];
    let is_safe = |it: &Vec<u8>| safe.contains(&it.as_slice()) || it.starts_with(b"scram-");
    let all_safe =
        mechanisms.iter().any(|it| allowed(&it)) && mechanisms.iter().filter(allowed).all(is_safe);
    !all_safe && !words("sasl_security_options").iter().any(|it| it == b"noplaintext")
}
