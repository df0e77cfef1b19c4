//! How main.cf and tables are written.

rules! {
    bare_carriage_return,
    byte_order_mark,
    commented_out_first_line,
    inline_comment,
    missing_equals,
    missing_final_newline,
    missing_parameter_name,
    null_byte,
    orphan_continuation,
    template_residue,
}
