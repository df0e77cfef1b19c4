//! The services of master.cf.

rules! {
    master_argument_braces,
    master_duplicate_override,
    master_duplicate_service,
    master_field_invalid,
    master_fields_missing,
    master_override_malformed,
    master_stray_argument,
}
