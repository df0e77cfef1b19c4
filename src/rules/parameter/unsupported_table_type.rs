//! `HASH:/etc/postfix/x`

use crate::config::Why;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::{table_type, table_types};
use crate::text::nearest;

pub(super) static RULE: Rule = Rule {
    id: "unsupported-table-type",
    severity: Severity::Error,
    summary: "a lookup table is of a type that this Postfix does not have",
    doc: "
The word before the colon of `type:name` is the type of the lookup table. Where
Postfix has no such type, the program that opens the table logs \"unsupported
dictionary type\", and every question to the table fails: mail that needs an
answer waits, clients get a temporary error, and postmap stops.

Types are written in lower case, and some came late: `mongodb` with Postfix 3.9,
`debug` with 3.11. `postconf -m` lists what a build has.

Not found here: a type that Postfix can have and this build or installation
lacks, such as `mysql` without its package. A package can also bring a type of
its own, in dynamicmaps.cf; postls does not know it.
",
    postfix_says: "unsupported dictionary type: HASH",
    fix: FixKind::Never,
    bad: "
virtual_alias_maps = HASH:/etc/postfix/virtual
#                    ^^^^ Postfix has no tables of type \"HASH\"
",
    good: "
smtpd_sender_login_maps = inline:{{ HASH:a = b }}, static:{ HASH:b }
mydestination = HASH.example
smtpd_etrn_restrictions = check_policy_service inet:127.0.0.1:10023, permit
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let version = context.version();
    for table in context.table_uses().iter().filter(|it| !it.is_address()) {
        for problem in table.reference.problems() {
            if problem.why != Why::UnknownType {
                continue;
            }
            let shown = table.shown(problem.at.clone());
            let text = match table_type(&shown).and_then(|it| it.since) {
                Some(since) => {
                    format!("tables of type \"{shown}\" came with Postfix {since}, this is {version}")
                }
                None => format!("Postfix has no tables of type \"{shown}\""),
            };
            let finding = findings.at(table.span(problem.at.clone()), text);
            let known = table_types().filter(|it| it.exists_in(version)).map(|it| it.name);
            if let Some(name) = nearest(&shown, known) {
                finding.help(format!("did you mean \"{name}\"?"));
            }
        }
    }
}
