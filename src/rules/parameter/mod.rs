//! Names and values in main.cf.

rules! {
    deprecated_parameter,
    duplicate_parameter,
    ipv6_address_unbracketed,
    table_name_malformed,
    table_type_missing,
    unsupported_table_type,
    value_unexpandable,
}
