//! Attributes that smtp(8) knows and refuses.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::client::BadFile;
use crate::policy::what::{Refused, What};
use crate::text::{Span, offset};

pub(super) static RULE: Rule = Rule {
    id: "policy-attribute-invalid",
    severity: Severity::Error,
    summary: "an attribute of a policy cannot stand so",
    doc: "
smtp(8) defers all mail to the destination with 4.7.5 where an attribute is
empty that needs a value (ciphers, match, tafile), stands there twice (all but
match, tafile, connection_reuse, enable_rpk, policy_string and mx_host_pattern),
or has a value that it does not take. `tafile=` belongs to the levels verify and
secure, and `policy_ttl=`, `policy_domain=`, `policy_string=`, `policy_failure=` and
`mx_host_pattern=` belong to `policy_type=`. Where `protocols=`, `ciphers=` or
`exclude=` cannot be used, the first tries are deferred; at level may the mail then
goes out without TLS.
",
    postfix_says: "attribute \"ciphers\" has empty value",
    fix: FixKind::Sometimes,
    bad: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> tls_policy <==
example.com encrypt ciphers=
#                   ^^^^^^^^ it needs a value
",
    good: "
==> main.cf <==
smtp_tls_CAfile = /etc/postfix/ca.pem
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> tls_policy <==
example.com secure match=example.com match=mx.example.com exclude=
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for found in context.row_problems() {
        if let What::Refused(why) = &found.problem.what {
            let text = match why {
                Refused::Empty => "it needs a value".to_owned(),
                Refused::Repeated => "it stands there already".to_owned(),
                Refused::WrongLevel(level) => format!("not at level {level}"),
                Refused::NotYesNo => "it takes yes or no".to_owned(),
                Refused::NotHostname => "it takes a host name".to_owned(),
                Refused::NotGrade => "it takes high, medium, low, export or null".to_owned(),
                Refused::NoEncryption => "nothing is encrypted with it".to_owned(),
                Refused::NotCipher => "no cipher begins so; Postfix itself excludes them".to_owned(),
                Refused::NoCipher => "it leaves no cipher".to_owned(),
                Refused::NoProtocol => "it leaves no protocol".to_owned(),
                Refused::File(BadFile::Missing) => "there is no such file".to_owned(),
                Refused::File(BadFile::Garbage) => "the file has no sound certificate".to_owned(),
                Refused::File(BadFile::NotPem) => "the file has no certificate in PEM form".to_owned(),
                Refused::NotProtocols => "it takes TLS protocols, with : between them".to_owned(),
                Refused::NoName => "no name stands between the colons".to_owned(),
                Refused::NotTtl => "it takes a number of seconds".to_owned(),
                Refused::NotPolicyType => "it takes sts or no-policy-found".to_owned(),
                Refused::NotPolicyFailure => "it takes a failure that TLSRPT has".to_owned(),
                Refused::NoMxHost => "no MX host matches this".to_owned(),
                Refused::PolicyFailed => {
                    "with a policy that has failed no certificate is taken".to_owned()
                }
                Refused::WithoutPolicyType => "it needs policy_type= beside it".to_owned(),
            };
            let finding = findings.at(found.problem.span, text);
            let word = context.sources.bytes(found.problem.span);
            let value = word.iter().position(|it| *it == b'=').map_or(word.len(), |it| it + 1);
            let span = found.problem.span;
            let span = Span { start: span.start + offset(value), ..span };
            finding.fix = match why {
                Refused::NotGrade => context.rewrite_as_one_of(span, &word[value..], &["high", "medium"]),
                Refused::NotYesNo => context.rewrite_as_one_of(span, &word[value..], &["yes", "no"]),
                Refused::NotProtocols => context.rewrite_protocol_list(span, &word[value..]),
                _ => None,
            };
        }
    }
}
