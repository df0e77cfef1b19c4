//! `hash:/etc/postfix/virtual hash:/etc/postfix/virtual`

use std::collections::HashMap;

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::TableList;
use crate::text::Span;

pub(super) static RULE: Rule = Rule {
    id: "table-listed-twice",
    severity: Severity::Advice,
    summary: "a list names a lookup table twice",
    doc: "
Tables are asked in the order of the list, up to the first that answers. A table
that stands there a second time was asked before and had no answer. Often another
one was meant.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
virtual_alias_maps = texthash:/etc/postfix/people, texthash:/etc/postfix/people
#                                                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the list has this table before
",
    good: "
virtual_alias_maps = texthash:/etc/postfix/people, texthash:/etc/postfix/groups
virtual_mailbox_maps = texthash:/etc/postfix/people
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut first: HashMap<(Span, &str, &[u8]), Span> = HashMap::new();
    // In lists of restrictions a table can be asked about several things.
    let lists = context.table_uses().iter().filter(|it| it.list == TableList::Tables);
    // What comes out of a reference is somewhere in it.
    for it in lists.filter(|it| it.is_written()) {
        let span = it.span(0..it.text.len());
        match first.get(&(it.value, &*it.parameter, &*it.text)) {
            Some(before) => {
                findings.at(span, "the list has this table before").related(*before, "here");
            }
            None => {
                first.insert((it.value, &it.parameter, &it.text), span);
            }
        }
    }
}
