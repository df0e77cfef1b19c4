//! The first word of a policy.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::ProblemKind;
use crate::policy::what::What;
use crate::postfix::SecurityLevel;
use crate::text::shortened;

pub(super) static RULE: Rule = Rule {
    id: "policy-level-invalid",
    severity: Severity::Error,
    summary: "a policy does not begin with a security level",
    doc: "
postmap indexes any text. smtp(8) looks at it when mail for the destination is
on its way, and defers all of it with 4.7.5 until the row is mended or the mail
expires and goes back to its sender.

The levels are none, may, encrypt, dane, dane-only, fingerprint, verify and
secure, in upper or lower case, without quotes.
",
    postfix_says: "invalid security level \"encypt\"",
    fix: FixKind::Sometimes,
    bad: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> tls_policy <==
example.com encypt
#           ^^^^^^ \"encypt\" is no security level
",
    good: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> tls_policy <==
example.com Encrypt
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for found in context.row_problems() {
        let problem = found.problem;
        if problem.what == What::Level {
            let level = shortened(&context.sources.text(problem.span));
            let finding = findings.at(problem.span, format!("\"{level}\" is no security level"));
            finding.help(format!("one of {}", SecurityLevel::names()));
            let (word, names) = (context.sources.bytes(problem.span), SecurityLevel::ALL.map(SecurityLevel::name));
            finding.fix = context.rewrite_as_one_of(problem.span, word, &names);
        }
    }
    findings.policy_file(context, ProblemKind::Level);
}
