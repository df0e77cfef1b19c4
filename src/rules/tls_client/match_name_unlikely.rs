//! Names that no certificate has.

use super::{each_client, shown, words};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "match-name-unlikely",
    severity: Severity::Warning,
    summary: "a name to compare certificates with is in no certificate",
    doc: "
smtp_tls_secure_cert_match and smtp_tls_verify_cert_match take the strategies
nexthop, dot-nexthop and hostname, and names of hosts and `.domains`. Postfix takes
any other word for a name, without a message; where no name matches mail waits.

Found are words without a dot, which public authorities certify no longer, and
words with brackets, bars or a dot at the end, which match nothing.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
smtp_tls_secure_cert_match = nexthop, dotnexthop
#                            ^^^^^^^^^^^^^^^^^^^ \"dotnexthop\" is taken for the name of a host
",
    good: "
smtp_tls_secure_cert_match = NextHop:dot-nexthop, .example.com
lmtp_tls_verify_cert_match = localhost
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    each_client(context, &mut |seen| {
        for name in ["tls_secure_cert_match", "tls_verify_cert_match"] {
            let Some(given) = seen.client.own(name) else { continue };
            let Some(span) = given.set else { continue };
            let Some(word) = words(&given.value).find(|it| is_unlikely(it)) else { continue };
            let text = if word.contains(&b'.') {
                format!("\"{}\" matches no name", shown(word))
            } else {
                format!("\"{}\" is taken for the name of a host", shown(word))
            };
            findings.at(span, text).help("nexthop, dot-nexthop, hostname, or a full name");
        }
    });
}

fn is_unlikely(word: &[u8]) -> bool {
    let known: [&[u8]; 4] = [b"nexthop", b"dot-nexthop", b"hostname", b"localhost"];
    let is_known = known.iter().any(|it| word.eq_ignore_ascii_case(it));
    // A name that is not ASCII is converted.
    let is_odd = word.iter().any(|it| it.is_ascii() && !it.is_ascii_alphanumeric() && !b"-._".contains(it));
    let has_dot = word.iter().any(|it| !it.is_ascii() || *it == b'.');
    !is_known && (is_odd || !has_dot || word.ends_with(b"."))
}
