//! See `postls_fuzz::policy_yaml`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| postls_fuzz::policy_yaml(bytes));
