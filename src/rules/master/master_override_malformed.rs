//! `-o name = value`

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::syntax::lists::{Assignment, BraceProblem};
use crate::syntax::master_cf::Argument;

pub(super) static RULE: Rule = Rule {
    id: "master-override-malformed",
    severity: Severity::Error,
    summary: "a -o option in master.cf is not name=value",
    doc: "
Behind `-o` stands one word, `name=value` without blanks, or since Postfix 3.0
`{ name = value }`. With blanks outside of braces the program gets a name
without a value and exits at its start. postconf says nothing about it, except
for braces that are not closed; with those master(8) does not start.
",
    postfix_says: "missing '=' after attribute name",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_tls_loglevel = 1
==> master.cf <==
smtp      inet  n       -       n       -       -       smtpd
  -o smtpd_tls_loglevel = 1
#    ^^^^^^^^^^^^^^^^^^ no \"=value\" in this word
",
    good: "
==> main.cf <==
smtp_tls_loglevel = 1
==> master.cf <==
smtp      inet  n       -       n       -       -       smtpd
  -o { smtpd_tls_loglevel = 1 }
  -osmtpd_tls_CAfile=
  -o smtpd_helo_restrictions=
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(services) = &context.services else { return };
    for service in services.all() {
        for argument in service.arguments() {
            let (range, text) = match argument {
                Argument::Dangling(range) => (range, "nothing behind it"),
                Argument::Override { word, assignment: Assignment { name, value, braces } } => {
                    let text = match (braces, value) {
                        (Some(BraceProblem::Unclosed), _) => "the braces are not closed",
                        (Some(BraceProblem::TextBehind), _) => "text behind the closing brace",
                        (None, _) if name.is_empty() => "no name",
                        (None, None) => "no \"=value\" in this word",
                        (None, Some(_)) => continue,
                    };
                    (word, text)
                }
                Argument::Word(_) => continue,
            };
            findings
                .at(services.span(service.locate(range)), text)
                .help("write name=value without blanks, or { name = value }");
        }
    }
}
