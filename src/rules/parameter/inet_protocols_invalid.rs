//! inet_protocols with a word that is no protocol.

use crate::config::Origin;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::syntax::lists::{self, COMMA_SPACE_FLAT};
use crate::text::shortened;

pub(super) static RULE: Rule = Rule {
    id: "inet-protocols-invalid",
    severity: Severity::Error,
    summary: "inet_protocols lists something else than all, ipv4 and ipv6",
    doc: "
Every program of Postfix stops at any other word, and does not start again. The
words are written in lower case.
",
    postfix_says: "unknown inet_protocols value \"ip4\"",
    fix: FixKind::Never,
    bad: "
inet_protocols = ip4
#                ^^^ \"ip4\" is no protocol
",
    good: "
inet_protocols = ipv4,
  ipv4
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(main) = &context.configuration else { return };
    let (Some(setting), (Ok(value), Origin::Set(span))) =
        (main.setting("inet_protocols"), main.value("inet_protocols"))
    else {
        return;
    };
    for range in lists::words(&value, COMMA_SPACE_FLAT) {
        let word = String::from_utf8_lossy(&value[range.clone()]);
        // A comment is a finding of its own.
        if word.starts_with('#') {
            return;
        }
        if !matches!(&*word, "all" | "ipv4" | "ipv6") {
            let as_written = setting.value().text() == value;
            let span = if as_written { setting.span_in_value(range) } else { span };
            findings
                .at(span, format!("\"{}\" is no protocol", shortened(&word)))
                .help("one of all, ipv4, ipv6");
        }
    }
}
