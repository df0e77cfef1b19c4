//! `inline:{ a = b }`

use crate::config::Why;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "table-name-malformed",
    severity: Severity::Error,
    summary: "what stands behind a table's type is not what this type takes",
    doc: "
Each type of lookup table reads its name in its own way. Where it cannot, the
program that opens the table logs an error, and every question to the table
fails: mail that needs an answer waits.

| type | name |
| --- | --- |
| `inline` | `{key=value, key=value}`; a row with blanks has braces of its own: `{{ key = value }}` |
| `static` | `value`, or `{ value with blanks }` |
| `unionmap`, `pipemap` | `{type:name, type:name}` |
| `randmap` | `{value, value}` |
| `regexp`, `pcre`, `cidr` | a file; from Postfix 3.7 on also `{{rule}, {rule}}` |
| `socketmap` | `inet:host:port:name`, `unix:path:name` |
| `unix` | `passwd.byname`, `group.byname` |
",
    postfix_says: "need \"inline:{name=value...}\"",
    fix: FixKind::Never,
    bad: "
virtual_alias_maps = inline:{ a@a.example = b@a.example }
#                             ^^^^^^^^^^^ a row is key=value without blanks, or { key = value }
",
    good: "
smtpd_sender_login_maps =
  inline:{{ a@a.example = b@a.example }, c@a.example=d@a.example}
  unionmap:{inline:{e@a.example=f@a.example}, inline:{{ g@a.example = h@a.example }}}
  randmap:{i@a.example, j@a.example}
smtpd_etrn_restrictions = check_policy_service unix:private/policy, permit
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.table_uses().iter().filter(|it| !it.is_address()) {
        for problem in table.reference.problems() {
            let text = match problem.why {
                Why::Name(text) => text,
                Why::NoName => "nothing stands behind the type",
                Why::NoType | Why::UnknownType => continue,
            };
            findings.at(table.span(problem.at.clone()), text);
        }
    }
}
