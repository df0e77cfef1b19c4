//! How main.cf and tables are written.

rules! {
    inline_comment,
    missing_equals,
    missing_parameter_name,
    orphan_continuation,
}
