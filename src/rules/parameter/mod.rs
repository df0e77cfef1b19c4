//! Names and values in main.cf.

rules! {
    deprecated_parameter,
    duplicate_parameter,
    value_unexpandable,
}
