//! Names and values in main.cf.

rules! {
    braces_unbalanced,
    deprecated_parameter,
    duplicate_parameter,
    inet_protocols_invalid,
    ipv6_address_unbracketed,
    mynetworks_style_invalid,
    read_only_parameter,
    table_name_malformed,
    table_type_missing,
    undefined_parameter,
    undefined_restriction_class,
    unsupported_table_type,
    unused_parameter,
    value_unexpandable,
}
