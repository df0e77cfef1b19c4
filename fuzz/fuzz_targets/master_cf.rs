//! See `postls_fuzz::master_cf`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| postls_fuzz::master_cf(bytes));
