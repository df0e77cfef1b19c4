//! TLS wrapper mode without mandatory TLS.

use super::{each_client, related};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::SecurityLevel;

pub(super) static RULE: Rule = Rule {
    id: "wrappermode-needs-encrypt",
    severity: Severity::Error,
    summary: "a client is to begin with TLS, and TLS is not mandatory",
    doc: "
In wrapper mode (port 465) the connection begins with a TLS handshake. smtp(8)
does that only where the level is encrypt or stronger; otherwise it tries no
server at all, and all mail waits.

Wrapper mode is for all servers of a service. Best set both parameters with `-o`
for a service of its own in master.cf.
",
    postfix_says: "smtp_tls_wrappermode requires \"smtp_tls_security_level = encrypt\" (or stronger)",
    fix: FixKind::Never,
    bad: "
smtp_tls_security_level = may
smtp_tls_wrappermode = yes
#                      ^^^ smtp(8) delivers nothing at level may
",
    good: "
relayhost = [plain.example]:465
smtp_tls_security_level = encrypt
smtp_tls_wrappermode = yes
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    each_client(context, &mut |seen| {
        let client = &seen.client;
        let Some(wrapper) = client.own("tls_wrappermode").filter(|it| it.is_yes()) else { return };
        let (Some(global), Some(set)) = (client.level(), wrapper.set) else { return };
        // Level dane is weaker where a server has no TLSA records; others may have some.
        let is_weak = matches!(global.level, SecurityLevel::None | SecurityLevel::May);
        if !is_weak || seen.has_policies() {
            return;
        }
        let text = format!("{}(8) delivers nothing at level {}", client.program, global.level);
        let finding = findings.at(set, text);
        finding.help(format!("set {}_tls_security_level = encrypt", client.program));
        related(finding, &global.given, "the level");
    });
}
