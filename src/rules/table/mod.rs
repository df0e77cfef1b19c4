//! Lookup tables, whatever they hold.

rules! {
    table_duplicate_key,
    table_missing_value,
}
