//! `hash:virtual`

use crate::config::{Content, TableReference};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::{Reads, table_type};

pub(super) static RULE: Rule = Rule {
    id: "table-path-relative",
    severity: Severity::Warning,
    summary: "a lookup table's file has no absolute name",
    doc: "
Programs of Postfix run in the queue directory, and look there for a file whose name does not
begin with `/`; postmap(1) looks where it is run. Write the whole name, such as
`hash:/etc/postfix/virtual` or `hash:$config_directory/virtual`.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
virtual_alias_maps = texthash:virtual
#                             ^^^^^^^ it is looked for in queue_directory
",
    good: "
virtual_alias_maps = texthash:$config_directory/virtual, inline:{a=b}
local_recipient_maps = unix:passwd.byname
transport_maps = mysql:transports, regexp:{{/./ smtp:}}
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.table_uses().iter().filter(|it| !it.is_address()) {
        let reference = &table.reference;
        // Braces are what a template left, which is a finding of its own.
        let first = table.text.get(reference.name.start);
        let is_absolute = matches!(first, Some(b'/' | b'$' | b'{') | None);
        if !is_absolute && reference.problem.is_none() && is_file(&table.text, reference) {
            let name = reference.name.clone();
            findings.at(table.span(name), "it is looked for in queue_directory");
        }
    }
}

/// Whether the name is that of a file that Postfix opens itself.
fn is_file(text: &[u8], reference: &TableReference) -> bool {
    let kind = str::from_utf8(&text[reference.table_type.clone()]).ok().and_then(table_type);
    let opens = matches!(kind.map(|it| it.reads), Some(Reads::Index | Reads::TextFile | Reads::Patterns));
    opens && reference.content == Content::Name
}
