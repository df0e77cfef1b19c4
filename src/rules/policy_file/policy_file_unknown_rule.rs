//! Rules in `lint:` that do not exist.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::rules;
use crate::text::{nearest, shortened};

pub(super) static RULE: Rule = Rule {
    id: "policy-file-unknown-rule",
    severity: Severity::Error,
    summary: "the policy file names a rule that does not exist",
    doc: "
`lint:` allows the findings of rules in the whole directory, and gives them
another severity. No rule has this name; `postls rules` lists those that there
are.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> postls.yaml <==
version: 1
lint:
  allow:
    weak-fingerprint-diggest: the partner moves in March
#   ^^^^^^^^^^^^^^^^^^^^^^^^ there is no rule \"weak-fingerprint-diggest\"
  severity: {tls-server: error}
#            ^^^^^^^^^^ there is no rule \"tls-server\"
",
    good: "
==> main.cf <==
smtp_tls_fingerprint_digest = sha1
==> postls.yaml <==
version: 1
lint:
  allow:
    weak-fingerprint-digest: {reason: the partner moves in March, until: 2099-03-31}
  severity: {smtp-tls-disabled: error}
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(policies) = context.policies else { return };
    let allowed = policies.lint.allow.iter().map(|it| &it.rule);
    let graded = policies.lint.severity.iter().map(|it| &it.0);
    for name in allowed.chain(graded).filter(|it| rules::find(&it.value).is_none()) {
        let text = format!("there is no rule \"{}\"", shortened(&name.value));
        let found = findings.at(name.span, text);
        if let Some(near) = nearest(&name.value, rules::all().map(|it| it.id)) {
            found.help(format!("did you mean \"{near}\"?"));
        }
    }
}
