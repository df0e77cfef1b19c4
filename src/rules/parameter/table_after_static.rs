//! `static:all, hash:/etc/postfix/some`

use crate::config::TableUse;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::TableList;

pub(super) static RULE: Rule = Rule {
    id: "table-after-static",
    severity: Severity::Warning,
    summary: "a lookup table stands behind one that answers every question",
    doc: "
Tables are asked in the order of the list, up to the first that answers. A
`static:` table answers every question, so that the tables behind it are never
asked. Put it last.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
smtp_tls_policy_maps = static:encrypt, texthash:/etc/postfix/tls_policy
#                                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ it is never asked
",
    good: "
virtual_mailbox_maps = texthash:/etc/postfix/people, static:all
virtual_uid_maps = static:5000
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let uses = context.table_uses().iter().filter(|it| it.list == TableList::Tables);
    // The last one of the same list that answers everything.
    let mut answers: Option<&TableUse> = None;
    for it in uses {
        let is_of_list = |other: &&TableUse| other.value == it.value && other.parameter == it.parameter;
        answers = answers.filter(is_of_list);
        if let Some(answers) = answers {
            let span = answers.span(0..answers.text.len());
            findings
                .at(it.span(0..it.text.len()), "it is never asked")
                .related(span, "this one answers everything");
        }
        if &it.text[it.reference.table_type.clone()] == b"static" {
            answers = Some(it);
        }
    }
}
