//! See `postls_fuzz::policy_row`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| postls_fuzz::policy_row(bytes));
