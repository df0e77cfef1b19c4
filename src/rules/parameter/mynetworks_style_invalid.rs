//! mynetworks_style that is no style.

use crate::config::Origin;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::syntax::lists::{self, COMMA_SPACE_FLAT};
use crate::text::shortened;

pub(super) static RULE: Rule = Rule {
    id: "mynetworks-style-invalid",
    severity: Severity::Error,
    summary: "mynetworks_style is not one of class, subnet and host",
    doc: "
Where mynetworks is not set, every program of Postfix finds its default by
mynetworks_style, and stops where that is no style or more than one. With
mynetworks in main.cf nobody reads the style.
",
    postfix_says: "unknown mynetworks mask style value \"net\"",
    fix: FixKind::Never,
    bad: "
mynetworks_style = net
#                  ^^^ \"net\" is no style
",
    good: "
mynetworks_style = host
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(main) = &context.configuration else { return };
    let (None, (Ok(value), Origin::Set(span))) =
        (main.setting("mynetworks"), main.value("mynetworks_style"))
    else {
        return;
    };
    let words: Vec<_> = lists::words(&value, COMMA_SPACE_FLAT).map(|it| &value[it]).collect();
    let known = |word: &[u8]| matches!(word, b"class" | b"subnet" | b"host");
    let text = match words.iter().find(|it| !known(it)) {
        // A comment is a finding of its own.
        Some([b'#', ..]) => return,
        Some(word) => format!("\"{}\" is no style", shortened(&String::from_utf8_lossy(word))),
        None if words.iter().any(|it| *it != words[0]) => "these are several styles".to_owned(),
        None if words.is_empty() => "this is no style".to_owned(),
        None => return,
    };
    findings.at(span, text).help("one of class, subnet, host");
}
