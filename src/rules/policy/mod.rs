//! Rows of TLS policy tables, and destinations of the policy file.

use crate::finding::Severity;
use crate::policy::what::Rest;

rules! {
    fingerprint_length_mismatch,
    fingerprint_malformed,
    fingerprint_without_pins,
    policy_attribute_ineffective,
    policy_attribute_invalid,
    policy_below_wrappermode,
    policy_dane_only_impossible,
    policy_level_invalid,
    policy_match_at_wrong_level,
    policy_name_impossible,
    policy_not_utf8,
    policy_unknown_attribute,
    policy_without_trust_anchor,
}

/// How bad a list's entry is that matches nothing: beside others that do, Postfix gets by.
fn severity(rest: Rest) -> Severity {
    match rest {
        Rest::Nothing => Severity::Error,
        Rest::Something => Severity::Warning,
    }
}
