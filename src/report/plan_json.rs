//! A plan for programs, and what was done about it. The form is a promise: fields are added, never
//! changed.

use schemars::JsonSchema;
use serde::Serialize;

use super::{json, plan as for_people};
use crate::apply::{Done, Told};
use crate::plan::{Change, Plan, Shift, Summary, Trend, Weaker};
use crate::postfix::SecurityLevel;

/// What `postls diff --format json` and `postls apply --format json` print: what has to change, so
/// that the configuration is as the policy file wants it.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "postls diff")]
pub(super) struct Changes<'a> {
    /// The name of this form. Fields may be added to it; none is changed or taken away.
    #[schemars(extend("const" = "postls/diff/v1"))]
    schema: &'static str,
    /// Whether anything has to change.
    changed: bool,
    /// Whether it was changed; not there where that was not tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "bool")]
    applied: Option<bool>,
    /// Whether a running Postfix was told to read its files again; not there where nothing was
    /// tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "bool")]
    reloaded: Option<bool>,
    /// The same in words, a line each, as `postls diff` shows it to people; of very many changes the
    /// first ones of each kind, and how many more there are.
    plan: Vec<String>,
    /// How many destinations change in each way.
    summary: Summary,
    /// The policies that change.
    policies: Vec<Policy<'a>>,
    /// What changes for all destinations that no row speaks of; null: nothing.
    others: Option<Others<'a>>,
    /// The parameters of main.cf that change.
    parameters: Vec<Parameter<'a>>,
    /// The files that change, in the order in which they are written.
    files: Vec<File<'a>>,
    /// The keys of rows that postls did not write, and that would be lost.
    foreign: Vec<&'a str>,
    /// Whether a running Postfix notices the change only when it is told.
    reload_needed: bool,
    /// The change of text as a unified diff; what is not printable is `?`.
    diff: String,
}

/// The policy for one destination.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "policy")]
struct Policy<'a> {
    /// The next-hop destination.
    destination: &'a str,
    /// What happens to it.
    change: PolicyChange,
    /// The policy now; null where there is none.
    old: Option<&'a str>,
    /// The policy afterwards; null where there is none.
    new: Option<&'a str>,
    /// The fingerprints that it gets.
    pins_added: &'a [String],
    /// The fingerprints that it loses.
    pins_removed: &'a [String],
    /// The security level in force now, with or without a row; null: mail waits, or that cannot be
    /// known.
    level_before: Option<&'static str>,
    /// The security level in force afterwards.
    level_after: Option<&'static str>,
    /// What asks for less than before.
    weaker: &'a [Weaker],
    /// Whether apply makes it so only where somebody allows it: it is lowered, or loses a pin.
    needs_allowance: bool,
}

/// What changes for all destinations that no row speaks of.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "others")]
struct Others<'a> {
    /// What happens to them.
    change: PolicyChange,
    /// The security level in force now; null: mail waits, or that cannot be known.
    level_before: Option<&'static str>,
    /// The security level in force afterwards.
    level_after: Option<&'static str>,
    /// What asks for less than before.
    weaker: &'a [Weaker],
    /// Whether apply makes it so only where somebody allows it.
    needs_allowance: bool,
}

/// What happens to a policy.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "policy-change")]
enum PolicyChange {
    /// A new row, which does not ask for less than what held before.
    #[serde(rename = "added")]
    Added,
    /// No row any more; what holds then does not ask for less.
    #[serde(rename = "removed")]
    Removed,
    /// It asks for more.
    #[serde(rename = "raised")]
    Raised,
    /// It asks for less.
    #[serde(rename = "lowered")]
    Lowered,
    /// It asks for other pins.
    #[serde(rename = "pins changed")]
    Pins,
    /// Anything else.
    #[serde(rename = "changed")]
    Changed,
}

/// A parameter of main.cf.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "parameter")]
struct Parameter<'a> {
    /// Its name.
    name: &'a str,
    /// Its value now; null where main.cf does not set it.
    old: Option<&'a str>,
    /// Its value afterwards; null where main.cf will not set it.
    new: Option<&'a str>,
}

/// A file.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "file")]
struct File<'a> {
    /// Its name, relative to the configuration directory.
    file: &'a str,
    /// What happens to it.
    change: FileChange,
}

/// What happens to a file.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "file-change")]
enum FileChange {
    /// It is not there yet.
    Create,
    /// It gets other bytes.
    Replace,
    /// postmap builds its index.
    Index,
    /// It goes away.
    Remove,
}

/// The changes as one JSON object; `done` is what was done about them, if anything was tried.
pub(super) fn changes(plan: &Plan, done: Option<&Done>) -> String {
    let policies = plan.policies.iter().map(|it| Policy {
        destination: &it.destination,
        change: trend(it.shift.trend),
        old: it.old.as_deref(),
        new: it.new.as_deref(),
        pins_added: &it.shift.pins_added,
        pins_removed: &it.shift.pins_removed,
        level_before: it.shift.before.map(SecurityLevel::name),
        level_after: it.shift.after.map(SecurityLevel::name),
        weaker: &it.shift.weaker,
        needs_allowance: it.shift.gives_up(),
    });
    let parameters = plan.parameters.iter().map(|it| Parameter {
        name: &it.name,
        old: it.old.as_deref(),
        new: it.new.as_deref(),
    });
    let files = plan.changes.iter().map(|it| match it {
        Change::Write { name, old: None, .. } => File { file: name, change: FileChange::Create },
        Change::Write { name, .. } => File { file: name, change: FileChange::Replace },
        Change::Index { name, .. } => File { file: name, change: FileChange::Index },
        Change::Remove { name, .. } => File { file: name, change: FileChange::Remove },
    });
    let words = for_people::in_words(plan);
    json::pretty(&Changes {
        schema: "postls/diff/v1",
        changed: !plan.changes.is_empty(),
        applied: done.map(|it| it.changed),
        reloaded: done.map(|it| it.postfix == Told::Reloaded),
        plan: words.lines().filter(|it| !it.is_empty()).map(str::to_owned).collect(),
        summary: plan.summary(),
        policies: policies.collect(),
        others: plan.others.as_ref().map(others),
        parameters: parameters.collect(),
        files: files.collect(),
        foreign: plan.foreign().collect(),
        reload_needed: plan.reload,
        diff: for_people::printable_patch(plan),
    })
}

fn others(shift: &Shift) -> Others<'_> {
    Others {
        change: trend(shift.trend),
        level_before: shift.before.map(SecurityLevel::name),
        level_after: shift.after.map(SecurityLevel::name),
        weaker: &shift.weaker,
        needs_allowance: shift.gives_up(),
    }
}

fn trend(trend: Trend) -> PolicyChange {
    match trend {
        Trend::Added => PolicyChange::Added,
        Trend::Removed => PolicyChange::Removed,
        Trend::Raised => PolicyChange::Raised,
        Trend::Lowered => PolicyChange::Lowered,
        Trend::Pins => PolicyChange::Pins,
        Trend::Changed => PolicyChange::Changed,
    }
}
