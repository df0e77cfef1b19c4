//! See `postls_fuzz::table`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| postls_fuzz::table(bytes));
