//! Lookup tables, whatever they hold.

rules! {
    table_duplicate_key,
    table_missing_value,
    table_unbalanced_quote,
}
