//! Text that must not be empty.

use super::{read_values, refused};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::Type;

pub(super) static RULE: Rule = Rule {
    id: "value-empty",
    severity: Severity::Error,
    summary: "a parameter that needs a value has none",
    doc: "
An empty value is not the default: where a parameter must have one, the program
that reads it exits at its start with \"bad string length 0 < 1\". `postfix check`
and `postconf` say nothing. A value is also empty where it refers to a name that
is.

To have the default, remove the line. Where no service in master.cf runs such a
program it is a warning.
",
    postfix_says: "bad string length 0 < 1: smtp_helo_name",
    fix: FixKind::Never,
    bad: "
unused =
smtp_helo_name = $unused
#                ^^^^^^^ smtp_helo_name is empty
",
    good: "
relayhost =
virtual_mailbox_base =
mydestination =
smtpd_sasl_local_domain = $relayhost
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for it in read_values(context, &[Type::String, Type::Raw, Type::Enum]) {
        // These are findings of their own.
        let known = it.name == "mynetworks_style" || it.name.starts_with("smtpd_tls_");
        // It is the default: only who uses virtual(8) needs another one.
        let is_default = it.name == "virtual_mailbox_base";
        if it.value.is_empty() && !is_default && it.limit.least.is_some() && !known {
            refused(findings, &it, format!("{} is empty", it.name), None);
        }
    }
}
