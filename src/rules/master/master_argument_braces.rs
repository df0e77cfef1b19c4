//! `{` without `}` among a program's words.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::syntax::lists::{self, BraceProblem};
use crate::syntax::master_cf::Argument;

pub(super) static RULE: Rule = Rule {
    id: "master-argument-braces",
    severity: Severity::Error,
    summary: "an argument in master.cf begins with \"{\" and does not end with its \"}\"",
    doc: "
Since Postfix 3.0 an argument with blanks stands in braces. master(8) does not
start where one that begins with `{` is not closed, or where text follows the
`}`; what a running one does with it, it does at the next start.
",
    postfix_says: "syntax error after '}' in \"{a b}c\"",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_tls_loglevel = 1
==> master.cf <==
maildrop  unix  -       n       n       -       -       pipe
  user=nobody argv=/bin/true {a b}c
#                            ^^^^^^ text behind the closing \"}\"
",
    good: "
==> main.cf <==
smtp_tls_loglevel = 1
==> master.cf <==
maildrop  unix  -       n       n       -       -       pipe
  user=nobody argv=/bin/true {a b} a{b} ${recipient}
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(services) = &context.services else { return };
    for service in services.all() {
        for argument in service.arguments() {
            // The braces of an option's value are the business of another rule.
            let Argument::Word(range) = argument else { continue };
            if !service.bytes(range.clone()).starts_with(b"{") {
                continue;
            }
            let text = match lists::braces(service.all_text(), range.clone()).1 {
                Some(BraceProblem::Unclosed) => "no \"}\" closes this",
                Some(BraceProblem::TextBehind) => "text behind the closing \"}\"",
                None => continue,
            };
            findings.at(services.span(service.locate(range)), text);
        }
    }
}
