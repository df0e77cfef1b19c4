//! `myhostname = "mail.example.com"`

use super::{read_values, refused, shown, unquoted, written};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::row::is_hostname;
use crate::postfix::Type;

pub(super) static RULE: Rule = Rule {
    id: "hostname-invalid",
    severity: Severity::Error,
    summary: "the host's own name or domain is no host name",
    doc: "
myhostname and mydomain are labels of letters, digits, `-` and `_` with dots between
them: no dot in front or behind, no quotes, no brackets, no address. With another
value no program of Postfix starts; `postconf` and `postfix check` may say nothing.
",
    postfix_says: "parameter myhostname: bad parameter value: ",
    fix: FixKind::Sometimes,
    bad: "
==> main.cf <==
==> master.cf <==
smtp unix - - n - - smtp
  -o myhostname=mail.example.com.
#               ^^^^^^^^^^^^^^^^^ \"mail.example.com.\" is no host name
",
    good: "
myhostname = mail_1.xn--bcher-kva.example
mydomain = example
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for it in read_values(context, &[Type::String]) {
        if !matches!(&*it.name, "myhostname" | "mydomain") || it.value.is_empty() || is_hostname(&it.value) {
            continue;
        }
        let inner = unquoted(&it.value);
        let inner = inner.strip_prefix(b".").unwrap_or(inner);
        let inner = inner.strip_suffix(b".").unwrap_or(inner);
        let meant = str::from_utf8(inner).ok().filter(|_| is_hostname(inner));
        let fix = meant.and_then(|meant| written(context, &it, meant));
        refused(findings, &it, format!("{} is no host name", shown(&it.value)), fix);
    }
}
