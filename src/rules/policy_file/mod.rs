//! The policy file. Postfix never sees it: an error here is one for postls.

rules! {
    destination_expired,
    destination_invalid,
    pin_file_differs,
    pin_file_private_key,
    pin_file_unusable,
    pin_retired,
    pin_retired_when_added,
    pin_without_source,
    policy_file_duplicate_key,
    policy_file_incomplete,
    policy_file_syntax,
    policy_file_unknown_key,
    policy_file_unknown_rule,
    policy_file_value_invalid,
    policy_file_version,
    policy_file_wrong_type,
    profile_unused,
}
