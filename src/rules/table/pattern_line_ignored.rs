//! Lines of pattern and network tables that Postfix cannot use.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, LineProblem, Rule};
use crate::syntax::{lines, trim};
use crate::text::{Span, shortened};

pub(super) static RULE: Rule = Rule {
    id: "pattern-line-ignored",
    severity: Severity::Error,
    summary: "Postfix cannot use a line of a regexp, pcre or cidr table",
    doc: "
A program that opens such a table logs a warning for each line that it cannot read,
skips the line and goes on: what the line should match is not matched. There is no
postmap run that would stop; `postmap -q - regexp:/etc/postfix/file </dev/null` shows
the same warnings.

Text behind IF or ENDIF, and an IF without ENDIF, are warnings: the block is what it
seems to be, or ends with the file.
",
    postfix_says: "no closing regexp delimiter",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
header_checks = regexp:$config_directory/header_checks
==> header_checks <==
/^Subject: buy now IGNORE
#^^^^^^^^^^^^^^^^^^^^^^^^ Postfix skips this line: no closing regexp delimiter \"/\"
/^X-Mailer:/ IGNORE
",
    good: "
==> main.cf <==
header_checks = regexp:$config_directory/header_checks
==> header_checks <==
if /^Subject:/
/buy now/ IGNORE
endif
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let problems = context.patterns.iter().flat_map(|it| &it.problems);
    // White space in front is orphan-continuation.
    for problem in problems.filter(|it| !it.is_orphan()) {
        let source = problem.span.source;
        let bytes = context.sources.source(source).bytes();
        let start = problem.span.range().start;
        let (_, text) = trim(&bytes[start..lines::line_end(bytes, start)]);
        let span = super::marked(context, Span::new(source, start..start + text.len()));
        let says = if context.is_secret(source) {
            "Postfix cannot use this line".to_owned()
        } else {
            says(&problem.what)
        };
        findings.milder(severity(problem), span, says);
    }
}

/// Postfix's words without those that say the same of each line.
fn says(what: &str) -> String {
    let skips = [": skipping this rule", ": ignoring this rule"];
    match skips.iter().find_map(|it| what.strip_suffix(it)) {
        Some(why) => format!("Postfix skips this line: {}", shortened(why)),
        None => format!("Postfix says: {}", shortened(what)),
    }
}

fn severity(problem: &LineProblem) -> Severity {
    let is_extra = problem.what.starts_with("ignoring extra text");
    let is_open = problem.what.starts_with("IF has no matching ENDIF");
    if is_extra || is_open { Severity::Warning } else { Severity::Error }
}
