//! TLS sessions that are to be used again, and nobody to keep them.

use super::{has_service, is_whole};
use crate::config::Within;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "client-without-tlsproxy",
    severity: Severity::Error,
    summary: "connections with TLS are to be used again, and there is no tlsproxy",
    doc: "
With smtp_tls_connection_reuse = yes smtp(8) leaves TLS to tlsproxy(8), which keeps
the sessions. Where master.cf has no such service every handshake fails: mail that
may go in clear text goes so after some attempts, and other mail waits.

Add `tlsproxy unix - - n - 0 tlsproxy` to master.cf. A file without most of the services that
mail passes through is taken for a part of one, and nothing is said; a policy with
connection_reuse=yes is not looked at.
",
    postfix_says: "connect to private/tlsproxy service: No such file or directory",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_tls_security_level = may
smtp_tls_connection_reuse = yes
#                           ^^^ TLS fails without a service tlsproxy
==> master.cf <==
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
smtp unix - - n - - smtp
#tlsproxy unix - - n - 0 tlsproxy
",
    good: "
==> main.cf <==
smtp_tls_security_level = may
smtp_tls_connection_reuse = yes
==> master.cf <==
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
smtp unix - - n - - smtp
tlsproxy unix - - n - 0 tlsproxy
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for view in context.views().filter(is_whole) {
        for scope in &*view.scopes {
            let Some(program) = super::client_program(scope) else { continue };
            let client = view.tls_client_within(program, Within::Service(scope));
            let reuse = client.own("tls_connection_reuse").filter(|it| it.is_yes());
            let Some(span) = reuse.and_then(|it| it.set).filter(|_| client.uses_tls()) else { continue };
            let Ok(proxy) = view.value("tlsproxy_service_name", Within::Service(scope)).0 else { continue };
            if !has_service(&view, &proxy) {
                let proxy = String::from_utf8_lossy(&proxy);
                findings
                    .at(span, format!("TLS fails without a service {proxy}"))
                    .help(format!("{proxy} unix - - n - 0 tlsproxy"));
            }
        }
    }
}
