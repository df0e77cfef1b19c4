//! Words that are no attribute.

use crate::finding::{Safety, Severity};
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::what::What;
use crate::policy::row;
use crate::text::{Span, nearest, offset, shortened};

pub(super) static RULE: Rule = Rule {
    id: "policy-unknown-attribute",
    severity: Severity::Error,
    summary: "a policy has a word that is no attribute",
    doc: "
Behind the level stand attributes, `name=value` without blanks around the `=`.
smtp(8) defers all mail to the destination with 4.7.5 when it does not know one,
because ignoring it could weaken the policy. That holds for attributes of later
Postfix versions too, and for the form `{ name = value }`, which came with 3.10.
Bounds such as `protocols=>=TLSv1.2` came with 3.6.

A comma or a blank ends an attribute: in `protocols=TLSv1.2,TLSv1.3` the second
word is none. Inside a value the separator is `:`.
",
    postfix_says: "invalid attribute name: \"cipher\"",
    fix: FixKind::Sometimes,
    bad: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> tls_policy <==
example.com encrypt cipher=high
#                   ^^^^^^^^^^^ Postfix does not know \"cipher=high\"
",
    good: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> tls_policy <==
example.com encrypt Ciphers=high, protocols=TLSv1.2:TLSv1.3
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for found in context.row_problems() {
        let problem = found.problem;
        match &problem.what {
            What::UnknownAttribute => {
                let span = problem.span;
                let word = context.sources.text(span).into_owned();
                let finding = findings.at(span, format!("Postfix does not know \"{}\"", shortened(&word)));
                let name = word.split('=').next().unwrap_or_default();
                finding.fix = super::joined_to_the_value_before(context, found);
                let near = nearest(name, row::attribute_names());
                if let Some(near) = near.filter(|_| word.contains('=') && !word.starts_with('{')) {
                    let name = Span { end: span.start + offset(name.len()), ..span };
                    let old = context.sources.bytes(name);
                    finding.fix = context.rewrite(name, old, near, Safety::Unsafe);
                }
                finding.help(match near {
                    Some(near) => format!("did you mean \"{near}=\"?"),
                    None => format!("attributes are {}", row::attribute_names().collect::<Vec<_>>().join(", ")),
                });
            }
            What::NewerAttribute(since) => {
                let span = problem.span;
                let text = format!("Postfix {} does not know this; it came with {since}", context.version());
                findings.at(span, text);
            }
            _ => {}
        }
    }
}
