//! See `postls_fuzz::main_cf`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| postls_fuzz::main_cf(bytes));
