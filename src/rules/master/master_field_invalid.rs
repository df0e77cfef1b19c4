//! Fields with a word that master(8) does not know.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::syntax::master_cf::{self, FIELDS};

pub(super) static RULE: Rule = Rule {
    id: "master-field-invalid",
    severity: Severity::Error,
    summary: "a field of a service in master.cf is not one that it can have",
    doc: "
The type is inet, unix, unix-dgram, fifo or pass; private, unprivileged and
chroot are y, n or -; the wakeup time is a number, with a `?` behind it or
without, or -; the process limit is a number or -. An inet service is not
private, and must say n, since - means y. master(8) does not start with
anything else.
",
    postfix_says: "invalid chroot field \"x\"",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_tls_loglevel = 1
==> master.cf <==
relay     unix  -       -       x       -       -       smtp
#                               ^ \"x\" cannot be the chroot field
",
    good: "
==> main.cf <==
smtp_tls_loglevel = 1
==> master.cf <==
relay     unix  -       -       n       0?      100     smtp
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(services) = &context.services else { return };
    for service in services.all() {
        for (index, name) in FIELDS.iter().enumerate() {
            let field = service.field(index);
            let private_inet = *name == "private" && service.field(1) == b"inet" && field != b"n";
            if master_cf::fits(name, field) && !private_inet {
                continue;
            }
            let text = String::from_utf8_lossy(field);
            let text = format!("\"{}\" cannot be the {name} field", crate::text::shortened(&text));
            let finding = findings.at(services.span(service.field_range(index)), text);
            if private_inet {
                finding.help("an inet service cannot be private: n");
            }
        }
    }
}
