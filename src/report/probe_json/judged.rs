//! Verdicts and their reasons, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use crate::verdict;

/// What becomes of mail.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "verdict")]
pub(super) enum VerdictWord {
    /// Over TLS, to a server that proved to be the one that the policy names.
    Verified,
    /// Over TLS, to a server whose certificate a trusted authority signed; nobody asked for which name.
    Trusted,
    /// Over TLS, to whoever answered.
    Encrypted,
    /// In the clear.
    Plaintext,
    /// It would wait, and at last come back.
    WouldDefer,
    /// It could not be seen.
    Unknown,
}

/// A reason, with what is so in this case.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "why")]
pub(super) struct Why<'a> {
    /// The reason's id, such as name-mismatch.
    id: &'a str,
    /// What is so, in a sentence.
    text: &'a str,
    /// What the reason means in general, in a sentence.
    summary: &'a str,
    /// What to do about it in general; null where nothing is to be done.
    advice: Option<&'a str>,
}

/// One thing that was looked at.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "test")]
pub(super) struct Test<'a> {
    /// Its name, such as starttls, chain or names.
    name: &'a str,
    /// What came of it.
    result: TestResult,
    /// What is so, in a sentence.
    text: &'a str,
}

/// What came of a test.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "test-result")]
enum TestResult {
    /// As it should be.
    Passed,
    /// Not so, and the policy asks for it.
    Failed,
    /// Not so, and the policy does not ask for it.
    NotNeeded,
    /// It could not be seen.
    NotSeen,
}

/// The strictest policy that would do.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "could")]
pub(super) struct Could<'a> {
    /// The policy as the right-hand side of a TLS policy table.
    policy: &'a str,
    /// Why that.
    text: &'a str,
}

/// What to do.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "suggestion")]
pub(super) struct Suggestion<'a> {
    /// In words.
    text: &'a str,
    /// Lines for `destinations:` of the policy file; null where that is not the way.
    yaml: Option<&'a str>,
    /// A command; null where there is none for it.
    command: Option<&'a str>,
}

pub(super) fn verdict(it: verdict::Verdict) -> VerdictWord {
    match it {
        verdict::Verdict::Verified => VerdictWord::Verified,
        verdict::Verdict::Trusted => VerdictWord::Trusted,
        verdict::Verdict::Encrypted => VerdictWord::Encrypted,
        verdict::Verdict::Plaintext => VerdictWord::Plaintext,
        verdict::Verdict::WouldDefer => VerdictWord::WouldDefer,
        verdict::Verdict::Unknown => VerdictWord::Unknown,
    }
}

pub(super) fn why(it: &verdict::Why) -> Why<'_> {
    let verdict::reason::Facts { id, summary, advice } = it.reason.facts();
    Why { id, text: &it.text, summary, advice: Some(advice).filter(|it| !it.is_empty()) }
}

pub(super) fn test(it: &verdict::Test) -> Test<'_> {
    let result = match it.result {
        verdict::TestResult::Passed => TestResult::Passed,
        verdict::TestResult::Failed => TestResult::Failed,
        verdict::TestResult::NotNeeded => TestResult::NotNeeded,
        verdict::TestResult::NotSeen => TestResult::NotSeen,
    };
    Test { name: it.name, result, text: &it.text }
}

pub(super) fn could(it: &verdict::Could) -> Could<'_> {
    Could { policy: &it.policy, text: &it.text }
}

pub(super) fn suggestion(it: &verdict::Suggestion) -> Suggestion<'_> {
    Suggestion { text: &it.text, yaml: it.yaml.as_deref(), command: it.command.as_deref() }
}
