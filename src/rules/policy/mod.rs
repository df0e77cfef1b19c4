//! Rows of TLS policy tables, and destinations of the policy file.

rules! {
    fingerprint_length_mismatch,
    fingerprint_malformed,
    fingerprint_without_pins,
    policy_attribute_invalid,
    policy_level_invalid,
    policy_match_at_wrong_level,
    policy_unknown_attribute,
}
