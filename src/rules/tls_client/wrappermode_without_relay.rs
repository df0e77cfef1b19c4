//! Wrapper mode for everybody.

use super::each_client;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::SecurityLevel;

pub(super) static RULE: Rule = Rule {
    id: "wrappermode-without-relay",
    severity: Severity::Error,
    summary: "the client begins with TLS at mail servers that do not",
    doc: "
In wrapper mode smtp(8) begins each connection with a TLS handshake. Mail servers
of domains listen on port 25, where TLS begins with STARTTLS: the handshake fails
at each of them, and all mail waits.

Wrapper mode is for one relay on port 465. Set it with `-o` for a service of its
own in master.cf, or name the relay in relayhost.
",
    postfix_says: "Cannot start TLS: handshake failure",
    fix: FixKind::Never,
    bad: "
smtp_tls_security_level = encrypt
smtp_tls_wrappermode = yes
#                      ^^^ no mail server on port 25 begins with TLS
",
    good: "
smtp_tls_security_level = encrypt
smtp_tls_wrappermode = yes
relayhost = [127.0.0.2]:465
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    each_client(context, &mut |seen| {
        let client = &seen.client;
        let wrapper = client.own("tls_wrappermode").filter(|it| it.is_yes()).and_then(|it| it.set);
        let Some(span) = wrapper.filter(|_| client.delivers_to_anybody()) else { return };
        // With less than that smtp(8) does not even try, which is a finding of its own.
        let is_weak = seen.is_at(|level| matches!(level, SecurityLevel::None | SecurityLevel::May));
        let usual_port = client.own("tcp_port").is_some_and(|it| it.set.is_none());
        if usual_port && !is_weak {
            findings.at(span, "no mail server on port 25 begins with TLS");
        }
    });
}
