//! Comments and settings that allow findings.

rules![allow_expired, allow_malformed, allow_unknown_rule, allow_unused, allow_without_reason,];
