//! How main.cf and tables are written.

use std::ops::Range;

rules! {
    bare_carriage_return,
    byte_order_mark,
    commented_out_first_line,
    inline_comment,
    invisible_character,
    merge_conflict_marker,
    missing_equals,
    missing_final_newline,
    missing_parameter_name,
    null_byte,
    orphan_continuation,
    template_residue,
}

/// Both sides of a conflict, as a version control system leaves them: the lines around them.
struct Conflict {
    first: Range<usize>,
    middle: Range<usize>,
    last: Range<usize>,
}

/// The conflicts of a file. Marks that do not stand in their order are none.
fn conflicts(bytes: &[u8]) -> Vec<Conflict> {
    let mut found = Vec::new();
    if !bytes.starts_with(b"<<<<<<< ") && memchr::memmem::find(bytes, b"\n<<<<<<< ").is_none() {
        return found;
    }
    let (mut first, mut middle, mut start) = (None, None, 0);
    for line in bytes.split_inclusive(|it| *it == b'\n') {
        let range = start..start + line.trim_ascii_end().len();
        start += line.len();
        if line.starts_with(b"<<<<<<< ") {
            (first, middle) = (Some(range), None);
        } else if bytes[range.clone()] == *b"=======" {
            middle = first.is_some().then_some(range);
        } else if line.starts_with(b">>>>>>> ")
            && let (Some(first), Some(middle)) = (first.take(), middle.take())
        {
            found.push(Conflict { first, middle, last: range });
        }
    }
    found
}

/// Where the lines around conflicts begin, in order: they are a finding of their own.
pub(super) fn conflict_lines(bytes: &[u8]) -> Vec<usize> {
    let lines = conflicts(bytes).into_iter().flat_map(|it| [it.first, it.middle, it.last]);
    lines.map(|it| it.start).collect()
}
