//! Postfix files as written: lossless, and never able to fail.
//!
//! The files are flat lists of logical lines, so there is no tree: each reader
//! gives groups of lines whose spans tile the source, and a change is a
//! replaced span. What Postfix would refuse is a group like any other, with a
//! kind that says so.

pub mod expand;
pub mod indexed;
pub mod lines;
pub mod lists;
pub mod main_cf;
pub mod master_cf;
pub mod table;

/// White space as Postfix's reader sees it: C's `isspace` in the C locale
/// (`sys_defs.h`, `ISSPACE`). No Unicode blank is one.
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// `bytes` without white space at both ends, and where the rest begins.
pub fn trim(bytes: &[u8]) -> (usize, &[u8]) {
    let start = bytes.iter().position(|byte| !is_space(*byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !is_space(*byte)).map_or(start, |last| last + 1);
    (start, &bytes[start..end])
}
