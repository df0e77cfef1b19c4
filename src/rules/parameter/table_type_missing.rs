//! `virtual_alias_maps = /etc/postfix/virtual`

use crate::config::Why;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "table-type-missing",
    severity: Severity::Error,
    summary: "a lookup table is named without its type",
    doc: "
A lookup table is `type:name`, such as `hash:/etc/postfix/virtual`. Where
Postfix wants a table, a word without a type is none: programs exit when they
read it, from 3.12 on they log an error, and mail waits. A restriction such as
check_client_access answers with a temporary error.

The default_database_type stands for a missing type only on the command line of
postmap and postalias, and in alias_database.
",
    postfix_says: "expecting \"type:name\" form instead of \"/etc/postfix/virtual\"",
    fix: FixKind::Never,
    bad: "
virtual_alias_maps = /etc/postfix/virtual
#                    ^^^^^^^^^^^^^^^^^^^^ this is no \"type:name\"
",
    good: "
alias_database = /etc/aliases
alias_maps = texthash:/dev/null
mydestination = localhost
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.table_uses().iter().filter(|it| !it.is_address()) {
        for problem in table.reference.problems() {
            if problem.why == Why::NoType {
                findings
                    .at(table.span(problem.at.clone()), "this is no \"type:name\"")
                    .help("write the type in front, such as texthash: or hash:");
            }
        }
    }
}
