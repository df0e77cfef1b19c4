//! `mynetworks = fd00::/64`

use crate::finding::{Fix, Safety, Severity};
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::text::Edit;

pub(super) static RULE: Rule = Rule {
    id: "ipv6-address-unbracketed",
    severity: Severity::Error,
    summary: "an address of IPv6 without brackets is taken for a lookup table",
    doc: "
In lists of networks and names a word with a colon is a lookup table: `fd00::/64`
is the table `:/64` of type `fd00`. There is no such type, so the list cannot be
searched to its end, and clients that no earlier word matches get a temporary
error; on `::1` programs exit. An address stands in brackets, the length of a
network behind them: `[fd00::]/64`.

Tables that such a list names (`cidr:/etc/postfix/networks`) and programs of
other makers write addresses without brackets.
",
    postfix_says: "unsupported dictionary type: fd00",
    fix: FixKind::Sometimes,
    bad: "
mynetworks = 127.0.0.0/8, fd00::/64
#                         ^^^^^^^^^ this is taken for a table of type \"fd00\"
",
    good: "
mynetworks = 127.0.0.0/8 [::1]/128 ![fd00::1] [fd00::]/64
smtp_bind_address6 = ::1
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.table_uses().iter().filter(|it| it.is_address()) {
        let span = table.span(0..table.text.len());
        let shown = table.shown(0..table.text.len());
        let kind = table.shown(table.reference.table_type.clone());
        let text = match kind.as_str() {
            "" => "this is taken for a table without a type".to_owned(),
            kind => format!("this is taken for a table of type \"{kind}\""),
        };
        let (address, length) = match shown.split_once('/') {
            Some((address, length)) => (address, format!("/{length}")),
            None => (shown.as_str(), String::new()),
        };
        let bracketed = format!("[{address}]{length}");
        let finding = findings.at(span, text).help(format!("write {bracketed}"));
        if table.is_written() {
            finding.fix(Fix {
                safety: Safety::Safe,
                title: "put the address in brackets".to_owned(),
                edits: vec![Edit::new(span, bracketed)],
            });
        }
    }
}
