//! Names in `match=` that no certificate has.

use crate::finding::{Safety, Severity};
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::matching;
use crate::policy::what::{Impossible, Name, What};

pub(super) static RULE: Rule = Rule {
    id: "policy-name-impossible",
    severity: Severity::Error,
    summary: "a policy compares certificates with a name that none has",
    doc: "
At the levels verify and secure `match=` lists host names, domains with a leading
dot, and the words hostname, nexthop and dot-nexthop, with `:` between them. Any
other word is a host name to smtp(8): a misspelt one, or two names with `|` or a
blank between them, is in no certificate. If a policy has no other name, all mail to
the destination waits; beside a good one it is a warning.
",
    postfix_says: "Server certificate not verified\nServer certificate not trusted",
    fix: FixKind::Sometimes,
    bad: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> tls_policy <==
example.com secure match=nexthop|dot-nexthop
#                        ^^^^^^^^^^^^^^^^^^^ no certificate has such a name
",
    good: "
==> main.cf <==
smtp_tls_CAfile = /etc/postfix/ca.pem
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> tls_policy <==
example.com secure match=NextHop:dot-nexthop
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for found in context.row_problems() {
        if found.problem.what == What::LevelImpossible(Impossible::NoName) {
            let text = "main.cf has no name that a certificate could have";
            let finding = findings.at(found.problem.span, text);
            for parameter in ["tls_verify_cert_match", "tls_secure_cert_match"] {
                if let Some(set) = context.set_at(found, parameter) {
                    finding.related(set, "the names of policies that have none");
                }
            }
        }
        if let What::Name(name, rest) = &found.problem.what {
            let severity = super::severity(*rest);
            let (span, old) = (found.problem.span, context.sources.bytes(found.problem.span));
            match name {
                Name::Address => {
                    findings.milder(severity, span, "addresses are not compared").help("name the host");
                }
                Name::Form => {
                    let finding = findings.milder(severity, span, "no certificate has such a name");
                    finding.help("between names stands a colon");
                    let is_name = |it: &[u8]| matching::name(it, &found.client.client).is_none();
                    if old.contains(&b'|') && old.split(|it| *it == b'|').all(is_name) {
                        let colons = context.sources.text(span).replace('|', ":");
                        finding.fix = context.rewrite(span, old, &colons, Safety::Safe);
                    }
                }
                Name::Typo(word) => {
                    let finding = findings.milder(severity, span, "Postfix takes this for a host name");
                    finding.help(format!("did you mean \"{word}\"?"));
                    finding.fix = context.rewrite(span, old, word, Safety::Unsafe);
                }
            }
        }
    }
}
