//! See `postls_fuzz::expand`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| postls_fuzz::expand(bytes));
