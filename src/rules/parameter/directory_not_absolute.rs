//! `html_directory = null`

use super::{read_values, shown};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::Type;

pub(super) static RULE: Rule = Rule {
    id: "directory-not-absolute",
    severity: Severity::Error,
    summary: "a place of Postfix's files is no absolute path",
    doc: "
`postfix start` and `postfix check` look for missing directories, and give up
where one of these parameters does not begin with `/`: command_directory,
daemon_directory, html_directory, mailq_path, manpage_directory, meta_directory,
newaliases_path, queue_directory, readme_directory, sendmail_path and
shlib_directory. Postfix does not start then.

`no` says that there is none, but only of html_directory, readme_directory and
shlib_directory.
",
    postfix_says: "unable to create missing queue directories",
    fix: FixKind::Never,
    bad: "
html_directory = null
#                ^^^^ \"null\" does not begin with \"/\"
",
    good: "
html_directory = no
readme_directory = no
manpage_directory = /usr/share/man
sample_directory = null
",
    check,
};

/// What `post-install` looks at.
const ALWAYS: [&str; 8] = [
    "command_directory",
    "daemon_directory",
    "mailq_path",
    "manpage_directory",
    "meta_directory",
    "newaliases_path",
    "queue_directory",
    "sendmail_path",
];

/// The same, where there need not be one.
const UNLESS_NO: [&str; 3] = ["html_directory", "readme_directory", "shlib_directory"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(main) = &context.configuration else { return };
    let is_in_main_cf = |span: crate::text::Span| span.source == main.span(0..0).source;
    for it in read_values(context, &[Type::String]).iter().filter(|it| is_in_main_cf(it.span)) {
        let may_be_no = UNLESS_NO.contains(&it.name.as_str());
        let is_looked_at = may_be_no || ALWAYS.contains(&it.name.as_str());
        let is_fine = it.value.starts_with(b"/") || (may_be_no && it.value == b"no");
        // An empty value is a finding of its own.
        if is_looked_at && !is_fine && !it.value.is_empty() {
            let finding = findings.at(it.span, format!("{} does not begin with \"/\"", shown(&it.value)));
            finding.help(if may_be_no { "an absolute path, or no" } else { "an absolute path" });
        }
    }
}
