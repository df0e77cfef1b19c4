//! The page of a rule: what `postls explain` prints and docs/rules holds.

use std::fmt::Write;

use super::{FixKind, Rule};

/// Markdown.
pub fn page(rule: &Rule) -> String {
    let fix = match rule.fix {
        FixKind::Never => "",
        FixKind::Sometimes => " Sometimes there is an automatic fix.",
        FixKind::Always => " There is an automatic fix.",
    };
    let mut page =
        format!("# {}\n\n{}: {}.{fix}\n", rule.id, capitalised(rule.severity.name()), rule.summary);
    // Writing to a String cannot fail.
    let _ = writeln!(page, "\n{}", rule.doc.trim());
    if !rule.postfix_says.is_empty() {
        let _ = writeln!(page, "\n## What Postfix says\n\n```text\n{}\n```", rule.postfix_says);
    }
    let _ = writeln!(page, "\n## Found\n\n```text\n{}\n```", rule.bad.trim());
    let _ = writeln!(page, "\n## Not found\n\n```text\n{}\n```", rule.good.trim());
    // What cannot be seen is shown.
    page.replace('\0', "\u{2400}").replace('\r', "\u{240d}").replace('\u{feff}', "<U+FEFF>")
}

/// Where the page stands on the web.
pub fn address(rule: &str) -> String {
    format!("{}/blob/main/docs/rules/{rule}.md", env!("CARGO_PKG_REPOSITORY"))
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|it| it.to_uppercase().collect::<String>() + letters.as_str())
        .unwrap_or_default()
}
