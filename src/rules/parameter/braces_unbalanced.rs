//! `{` without `}`, and `{…}x`, in a list.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::syntax::lists::BraceProblem;

pub(super) static RULE: Rule = Rule {
    id: "braces-unbalanced",
    severity: Severity::Warning,
    summary: "a word of a list begins with \"{\" and does not end with its \"}\"",
    doc: "
Where a word of a list begins with `{`, Postfix takes all up to the `}` that
closes it as one word. Without that `}` the rest of the list is part of the word;
what stands right behind it is lost or refused. postconf warns, and what happens
depends on the parameter: restrictions, milters and tables are refused when they
are used, and to other parameters a brace is a character like any other.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
smtpd_milters = { inet:127.0.0.1:8891, connect_timeout=10s, inet:127.0.0.1:8892
#               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ no \"}\" closes this
",
    good: "
smtpd_milters = { inet:127.0.0.1:8891, connect_timeout=10s }, inet:127.0.0.1:8892
virtual_alias_maps = inline:{ { a@a.example = b@a.example } }
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(names) = context.names() else { return };
    for (span, problem) in &names.braces {
        findings.at(
            *span,
            match problem {
                BraceProblem::Unclosed => "no \"}\" closes this",
                BraceProblem::TextBehind => "text behind the closing \"}\"",
            },
        );
    }
}
