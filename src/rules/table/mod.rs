//! Lookup tables, whatever they hold.

use crate::lint::Context;
use crate::text::Span;

rules! {
    pattern_line_ignored,
    table_alias_format,
    table_duplicate_key,
    table_missing_value,
    table_not_utf8,
    table_unbalanced_quote,
}

/// The place to mark: of a file that holds passwords only where it begins.
fn marked(context: &Context<'_>, span: Span) -> Span {
    let range = span.range();
    if context.is_secret(span.source) && !range.is_empty() {
        Span::new(span.source, range.start..range.start + 1)
    } else {
        span
    }
}
