//! The same `-o` twice.

use std::collections::HashMap;

use crate::finding::{Fix, Safety, Severity};
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::syntax::master_cf::Argument;
use crate::text::{Edit, shortened};

pub(super) static RULE: Rule = Rule {
    id: "master-duplicate-override",
    severity: Severity::Warning,
    summary: "a service sets a parameter twice, and only the last one counts",
    doc: "
Of two `-o name=value` with one name in a service, the program takes the last one.
Nothing warns of it. With the same value it is advice.
",
    postfix_says: "",
    fix: FixKind::Sometimes,
    bad: "
==> main.cf <==
smtp_tls_loglevel = 1
==> master.cf <==
smtp      inet  n       -       n       -       -       smtpd
  -o smtpd_tls_loglevel=0
#    ^^^^^^^^^^^^^^^^^^ this smtpd_tls_loglevel has no effect
  -o smtpd_tls_loglevel=1
",
    good: "
==> main.cf <==
smtpd_tls_chain_files = /etc/postfix/server.pem
smtp_tls_loglevel = 1
==> master.cf <==
smtp      inet  n       -       n       -       -       smtpd
  -o smtpd_tls_loglevel=0
smtps     inet  n       -       n       -       -       smtpd
  -o smtpd_tls_loglevel=1 -o smtpd_tls_wrappermode=yes
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(services) = &context.services else { return };
    for service in services.all() {
        let mut last = HashMap::new();
        for argument in service.arguments() {
            let Argument::Override { assignment, word } = argument else { continue };
            let (name, Some(value)) = (assignment.name, assignment.value) else { continue };
            let text = service.bytes(name.clone()).to_vec();
            let known = (name.clone(), value.clone(), word);
            let Some((earlier, other, word)) = last.insert(text.clone(), known) else { continue };
            let same = service.bytes(other) == service.bytes(value);
            let (severity, what) = if same {
                (Severity::Advice, "is set to the same further on")
            } else {
                (Severity::Warning, "has no effect")
            };
            let text = format!("this {} {what}", shortened(&String::from_utf8_lossy(&text)));
            let finding = findings.milder(severity, services.span(service.locate(earlier)), text);
            finding.related(services.span(service.locate(name)), "this one counts");
            finding.fix = services.option(service.locate(word)).map(|span| Fix {
                safety: if same { Safety::Safe } else { Safety::Unsafe },
                title: "remove the earlier one".to_owned(),
                edits: vec![Edit::new(span, "")],
            });
        }
    }
}
