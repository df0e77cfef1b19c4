//! The same service twice.

use std::collections::HashMap;

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::text::shortened;

pub(super) static RULE: Rule = Rule {
    id: "master-duplicate-service",
    severity: Severity::Error,
    summary: "a service stands in master.cf twice, and only the last one counts",
    doc: "
Two services are the same if name and type are. master(8) warns in its log and
uses the last one, with none of the options of the first.
",
    postfix_says: "duplicate master.cf entry for service",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_tls_loglevel = 1
==> master.cf <==
relay     unix  -       -       n       -       -       smtp
#^^^^ this relay/unix has no effect
relay     unix  -       -       n       -       5       smtp
",
    good: "
==> main.cf <==
smtp_tls_loglevel = 1
==> master.cf <==
smtp      unix  -       -       n       -       -       smtp
smtp      inet  n       -       n       -       -       smtpd
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(services) = &context.services else { return };
    let mut last: HashMap<String, std::ops::Range<usize>> = HashMap::new();
    for service in services.all() {
        let text = |index| String::from_utf8_lossy(service.field(index)).into_owned();
        let name = format!("{}/{}", text(0), text(1));
        let range = service.field_range(0);
        if let Some(earlier) = last.insert(name.clone(), range.clone()) {
            findings
                .at(services.span(earlier), format!("this {} has no effect", shortened(&name)))
                .related(services.span(range), "this one counts");
        }
    }
}
