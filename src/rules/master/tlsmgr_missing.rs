//! TLS without the service that gives it random numbers.

use super::{has_service, is_whole};
use crate::config::{Effective, ServerTls, Within};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::text::Span;

pub(super) static RULE: Rule = Rule {
    id: "tlsmgr-missing",
    severity: Severity::Error,
    summary: "TLS is in use, and master.cf has no tlsmgr",
    doc: "
Every program that speaks TLS gets its first random numbers from tlsmgr(8). Without
that service it logs \"no entropy for TLS key generation: disabling TLS support\":
smtp(8) sends in clear text what may be sent so and keeps the rest, and smtpd(8) still
offers STARTTLS and then refuses it.

Add `tlsmgr unix - - n 1000? 1 tlsmgr` to master.cf. A file without most of the services that
mail passes through is taken for a part of one, and nothing is said.
",
    postfix_says: "no entropy for TLS key generation: disabling TLS support",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_tls_security_level = may
==> master.cf <==
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
#tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
#vvv TLS does not work without a service tlsmgr
smtp unix - - n - - smtp
",
    good: "
==> main.cf <==
smtp_tls_security_level = may
==> master.cf <==
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
smtp unix - - n - - smtp
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for view in context.views().filter(is_whole) {
        let Ok(service) = view.value("tlsmgr_service_name", Within::Main).0 else { continue };
        if has_service(&view, &service) {
            continue;
        }
        if let Some(first) = speakers(&view).min() {
            let service = String::from_utf8_lossy(&service);
            findings
                .at(first, format!("TLS does not work without a service {service}"))
                .help(format!("{service} unix - - n 1000? 1 tlsmgr"));
        }
    }
}

/// The services that speak TLS.
fn speakers(view: &Effective<'_>) -> impl Iterator<Item = Span> {
    let client = |scope| {
        let program = super::client_program(scope)?;
        let client = view.tls_client_within(program, Within::Service(scope));
        client.uses_tls().then_some(scope.service_span)
    };
    let servers = view.servers().into_iter().filter(|it| it.tls != ServerTls::Off);
    let servers: Vec<Span> = servers.filter_map(|it| it.service_span()).collect();
    view.scopes.iter().filter_map(client).chain(servers)
}
