//! Names and values in main.cf.

rules! {
    braces_unbalanced,
    deprecated_parameter,
    duplicate_parameter,
    inet_protocols_invalid,
    read_only_parameter,
    undefined_parameter,
    undefined_restriction_class,
    unused_parameter,
    value_unexpandable,
}
