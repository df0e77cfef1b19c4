//! `<<<<<<< HEAD`

use super::conflicts;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::text::Span;

pub(super) static RULE: Rule = Rule {
    id: "merge-conflict-marker",
    severity: Severity::Error,
    summary: "a merge that nobody has finished",
    doc: "
A version control system writes both sides of a conflict into the file, between lines of
`<<<<<<<`, `=======` and `>>>>>>>`. In main.cf and master.cf they stop every program of
Postfix; in a table they are rows like others, and of a key that both sides have only one counts.
",
    postfix_says: "missing '=' after attribute name: \"<<<<<<< HEAD\"",
    fix: FixKind::Never,
    bad: "
smtp_tls_loglevel = 1
#vvvvvvvvvvv a conflict of a merge begins here
<<<<<<< HEAD
smtp_tls_security_level = may
=======
smtp_tls_security_level = dane
>>>>>>> dane
",
    good: "
#<<<<<<< HEAD
smtp_tls_security_level = may
#=======
#smtp_tls_security_level = dane
#>>>>>>> dane
smtpd_banner = $myhostname
  <<<<<<< ESMTP >>>>>>>
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let stops = |it: &crate::text::SourceId| {
        let main_cf = context.configuration.as_ref().map(|it| it.span(0..0).source);
        let master_cf = context.services.as_ref().map(|it| it.span(0..0).source);
        [main_cf, master_cf].contains(&Some(*it))
    };
    for source in context.postfix_files() {
        let severity = if stops(&source) { Severity::Error } else { Severity::Warning };
        for conflict in conflicts(context.sources.source(source).bytes()) {
            let span = Span::new(source, conflict.first);
            findings
                .milder(severity, span, "a conflict of a merge begins here")
                .related(Span::new(source, conflict.middle), "the other side")
                .related(Span::new(source, conflict.last), "it ends here")
                .help("keep one side, and remove the three lines");
        }
    }
}
