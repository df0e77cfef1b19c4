//! Fuzz targets for what postls reads. They ask what `tests/it/roundtrip.rs` asks, of more input:
//!
//! ```text
//! cargo install cargo-fuzz --locked
//! RUSTC_BOOTSTRAP=1 cargo fuzz run main_cf -- -max_total_time=60
//! ```
//!
//! `RUSTC_BOOTSTRAP=1` lets a stable compiler do; with a nightly one it is not needed.

mod properties;

/// Logical lines and main.cf.
pub fn main_cf(bytes: &[u8]) {
    properties::logical_lines(bytes);
    properties::main_cf(bytes);
    properties::lint(bytes, b"", b"");
}

/// master.cf, and what is shown of it.
pub fn master_cf(bytes: &[u8]) {
    properties::master_cf(bytes);
    properties::shown(bytes, bytes);
}

/// Lookup tables.
pub fn table(bytes: &[u8]) {
    properties::table(bytes);
    properties::lint(b"", bytes, b"");
}

/// `$name` in values, and lists of words.
pub fn expand(bytes: &[u8]) {
    properties::expand(bytes);
    properties::words(bytes);
}

/// Right-hand sides of a TLS policy table, and the small values in them.
pub fn policy_row(bytes: &[u8]) {
    properties::policy_row(bytes);
    properties::small_values(&String::from_utf8_lossy(bytes));
}

/// postls.yaml.
pub fn policy_yaml(bytes: &[u8]) {
    properties::policy_yaml(bytes);
    properties::lint(b"", b"", bytes);
}
