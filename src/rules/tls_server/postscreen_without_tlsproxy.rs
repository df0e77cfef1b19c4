//! STARTTLS that postscreen(8) cannot keep.

use crate::config::{Effective, Scope, Within};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::SecurityLevel;

pub(super) static RULE: Rule = Rule {
    id: "postscreen-without-tlsproxy",
    severity: Severity::Warning,
    summary: "postscreen offers TLS, and there is no tlsproxy",
    doc: "
postscreen(8) leaves TLS to tlsproxy(8). Where master.cf has no such service it
still offers STARTTLS to the clients that it tests, and answers \"TLS not
available due to local problem\". Clients for which TLS is mandatory do not
deliver.

Add `tlsproxy unix - - n - 0 tlsproxy` to master.cf (POSTSCREEN_README).
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtpd_tls_security_level = may
smtpd_tls_cert_file = /etc/postfix/certificate.pem
smtpd_tls_key_file = /etc/postfix/key.pem
==> master.cf <==
#vvv STARTTLS fails without a service tlsproxy
smtp inet n - n - 1 postscreen
smtpd pass - - n - - smtpd
",
    good: "
==> main.cf <==
smtpd_tls_security_level = may
smtpd_tls_cert_file = /etc/postfix/certificate.pem
smtpd_tls_key_file = /etc/postfix/key.pem
==> master.cf <==
smtp inet n - n - 1 postscreen
smtpd pass - - n - - smtpd
tlsproxy unix - - n - 0 tlsproxy
10025 inet n - n - 1 postscreen -o postscreen_tls_security_level=none
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut seen = Vec::new();
    for view in context.views() {
        for scope in view.scopes.iter().filter(|it| it.program() == b"postscreen") {
            let Ok(proxy) = view.value("tlsproxy_service_name", Within::Service(scope)).0 else {
                continue;
            };
            let wanted = [&proxy, b"/unix".as_slice()].concat();
            let there = view.scopes.iter().any(|it| it.name == wanted);
            if there || !offers_tls(&view, scope) || seen.contains(&scope.service_span) {
                continue;
            }
            seen.push(scope.service_span);
            let proxy = String::from_utf8_lossy(&proxy);
            findings
                .at(scope.service_span, format!("STARTTLS fails without a service {proxy}"))
                .help(format!("{proxy} unix - - n - 0 tlsproxy"));
        }
    }
}

/// `postscreen/postscreen.c`: the level, or what was there before it.
fn offers_tls(view: &Effective<'_>, scope: &Scope) -> bool {
    let value = |name| view.value(name, Within::Service(scope)).0.unwrap_or_default();
    let level = value("postscreen_tls_security_level");
    if level.is_empty() {
        let old = ["postscreen_use_tls", "postscreen_enforce_tls"];
        return old.iter().any(|it| value(it).eq_ignore_ascii_case(b"yes"));
    }
    // At a level that it does not know it exits.
    SecurityLevel::parse(&level).is_some_and(|it| it != SecurityLevel::None)
}
