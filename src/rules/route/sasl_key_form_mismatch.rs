//! A password for the right host under a key that nobody asks for.

use crate::finding::Severity;
use crate::lint::{Context, Credentials, Findings, FixKind, Rule};
use crate::text::fold;

pub(super) static RULE: Rule = Rule {
    id: "sasl-key-form-mismatch",
    severity: Severity::Warning,
    summary: "the next hop is written otherwise than the password's key",
    doc: "
A client looks for a password under the name of the server, without brackets and
port, and then under the next-hop destination exactly as it is configured. For
`[relay.example]:587` these are `relay.example` and `[relay.example]:587`; a password
under `[relay.example]` or `relay.example:587` is never found. The client then goes
on without authentication, and the relay refuses the mail.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
relayhost = [relay.example]:587
smtp_tls_security_level = encrypt
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = texthash:$config_directory/sasl_passwd
==> sasl_passwd <==
[relay.example] user:password
#^^^^^^^^^^^^^^ smtp(8) asks for \"[relay.example]:587\"
",
    good: "
==> main.cf <==
relayhost = [relay.example]:587
smtp_tls_security_level = encrypt
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = texthash:$config_directory/sasl_passwd
==> sasl_passwd <==
relay.example user:password
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (_, routes) in context.routes() {
        for route in &routes.routes {
            let Credentials::Nothing(alike) = &route.credentials else { continue };
            let program = route.hop.client.program;
            let destination = super::destination(route);
            let is_asked_for =
                |key: &[u8]| routes.hops.named.iter().any(|it| fold(&it.text) == fold(key));
            for span in alike.iter().copied() {
                if is_asked_for(context.sources.bytes(span)) {
                    continue;
                }
                findings
                    .at(span, format!("{program}(8) asks for \"{destination}\""))
                    .related(route.hop.span, format!("the next hop of {}", route.hop.parameter))
                    .help(format!("write the key as \"{destination}\""));
            }
        }
    }
}
