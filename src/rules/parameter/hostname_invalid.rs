//! `myhostname = mail.example.com.`

use super::{read_values, refused, shown};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::Type;

pub(super) static RULE: Rule = Rule {
    id: "hostname-invalid",
    severity: Severity::Error,
    summary: "the name of this host or its domain is no host name",
    doc: "
Every program of Postfix looks at myhostname and mydomain as soon as it starts,
and exits where one is no host name: labels of letters, digits, `_` and `-`
between dots, each no longer than 63 bytes, with no `-` at either end of one, no
dot at either end of the name, and not of digits alone. An address such as
192.0.2.1 is no name. `postconf` says nothing.

What stands there is often a place that a template or a script should have filled
in.
",
    postfix_says: "parameter myhostname: bad parameter value: mail.example.com.",
    fix: FixKind::Never,
    bad: "
myhostname = mail.example.com.
#            ^^^^^^^^^^^^^^^^^ \"mail.example.com.\" has a dot at an end or next to another one
",
    good: "
myhostname = mx-1._2.xn--mgbh0fb.example
mydomain = 4you.example
smtp_helo_name = [192.0.2.1]
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for it in read_values(context, &[Type::String]) {
        // An empty value is a finding of its own.
        if !["myhostname", "mydomain"].contains(&it.name.as_str()) || it.value.is_empty() {
            continue;
        }
        if let Some(why) = why_invalid(&it.value) {
            refused(findings, &it, format!("{} {why}", shown(&it.value)), None);
        }
    }
}

/// What `valid_hostname` (`util/valid_hostname.c`) finds wrong with a name.
fn why_invalid(name: &[u8]) -> Option<&'static str> {
    let allowed = |it: &u8| it.is_ascii_alphanumeric() || b"_-.".contains(it);
    if !name.iter().all(allowed) {
        return Some("has a character that no host name has");
    }
    let labels = || name.split(|it| *it == b'.');
    if labels().any(<[u8]>::is_empty) {
        return Some("has a dot at an end or next to another one");
    }
    if labels().any(|it| it.starts_with(b"-") || it.ends_with(b"-")) {
        return Some("has a hyphen at an end of a label");
    }
    if labels().any(|it| it.len() > 63) {
        return Some("has a label of more than 63 bytes");
    }
    if name.len() > 255 {
        return Some("has more than 255 bytes");
    }
    if name.iter().all(|it| it.is_ascii_digit() || *it == b'.') {
        return Some("has digits alone");
    }
    None
}
