//! A restriction class that does not exist.

use crate::config::Because;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::text::shortened;

pub(super) static RULE: Rule = Rule {
    id: "undefined-restriction-class",
    severity: Severity::Error,
    summary: "smtpd_restriction_classes lists a class that is not defined",
    doc: "
Each name in smtpd_restriction_classes must be set in main.cf, or for the
service in master.cf, to a list of restrictions. smtpd(8) exits at its start
where one is not, and no mail comes in.
",
    postfix_says: "restriction class `strict' needs a definition",
    fix: FixKind::Never,
    bad: "
smtpd_restriction_classes = lax, strict
#                                ^^^^^^ nobody sets strict
lax = permit
",
    good: "
smtpd_restriction_classes = lax, strict
lax = permit
strict = reject_unknown_client_hostname
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(names) = context.names() else { return };
    for undefined in names.undefined.iter().filter(|it| it.because == Because::Class) {
        findings
            .at(undefined.span, format!("nobody sets {}", shortened(&undefined.name)))
            .help("set it to a list of restrictions, or take it out of the list");
    }
}
