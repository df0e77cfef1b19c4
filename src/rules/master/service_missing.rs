//! Services that others cannot do without.

use super::{has_service, is_whole};
use crate::config::{Effective, Origin, Scope, Within};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "service-missing",
    severity: Severity::Error,
    summary: "a service that others ask is not in master.cf",
    doc: "
Programs of Postfix ask each other by the names of services: cleanup_service_name
and the like, whose defaults are `cleanup`, `rewrite`, `bounce` and `defer`, and `proxymap` for
tables with `proxy:` in front, as local_recipient_maps has one by default. Where master.cf has no service of the name they
wait and try again, and mail goes nowhere.

A file without most of the services that mail passes through is taken for a part of
one: there only a name that somebody sets is looked for.
",
    postfix_says: "connect #1 to subsystem public/pre-cleanup: No such file or directory",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
==> master.cf <==
pickup unix n - n 60 1 pickup
  -o cleanup_service_name=pre-cleanup
#                         ^^^^^^^^^^^ no service has the name \"pre-cleanup\"
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
",
    good: "
==> main.cf <==
==> master.cf <==
pickup unix n - n 60 1 pickup
  -o cleanup_service_name=pre-cleanup
pre-cleanup unix n - n - 0 cleanup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
smtp unix - - n - - smtp
",
    check,
};

/// A parameter, and some of the programs that ask its service.
const ASKED: [(&str, &[&str]); 5] = [
    ("bounce_service_name", &["qmgr", "nqmgr"]),
    ("cleanup_service_name", &["pickup", "smtpd", "qmqpd"]),
    ("defer_service_name", &["qmgr", "nqmgr"]),
    ("proxymap_service_name", &["smtpd"]),
    ("rewrite_service_name", &["cleanup", "smtpd", "qmgr", "nqmgr"]),
];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for view in context.views().filter(|it| !it.scopes.is_empty()) {
        let is_whole = is_whole(&view);
        for (name, programs) in ASKED {
            let mut is_known = false;
            for scope in view.scopes.iter().filter(|it| asks(it, programs)) {
                let within = Within::Service(scope);
                let (Ok(service), origin) = view.value(name, within) else { continue };
                if has_service(&view, &service) || service.is_empty() {
                    continue;
                }
                let shown = super::shown(&service);
                match origin {
                    Origin::Set(span) if is_local(scope, name) || is_whole => {
                        findings.at(span, format!("no service has the name {shown}"));
                    }
                    Origin::Default if is_whole && !is_known && is_needed(&view, name) => {
                        is_known = true;
                        findings
                            .at(scope.service_span, format!("it needs a service {shown}, which is not there"));
                    }
                    Origin::Set(_) | Origin::Default => {}
                }
            }
        }
    }
}

fn asks(scope: &Scope, programs: &[&str]) -> bool {
    programs.iter().any(|it| it.as_bytes() == scope.program())
}

/// Whether the service itself sets it.
fn is_local(scope: &Scope, name: &str) -> bool {
    scope.settings.as_ref().is_some_and(|it| it.contains_key(name.as_bytes()))
}

/// proxymap(8) is asked only where a table wants it.
fn is_needed(view: &Effective<'_>, name: &str) -> bool {
    let proxied = |it: Vec<u8>| it.starts_with(b"proxy:");
    name != "proxymap_service_name" || view.value("local_recipient_maps", Within::Main).0.is_ok_and(proxied)
}
