//! What was applied: the generations, for people and for programs.

use std::fmt::Write;

use schemars::JsonSchema;
use serde::Serialize;

use super::human::printable;
use super::json;
use crate::apply::Generation;
use crate::plan::Downgrade;
use crate::policy::Date;

/// What `postls history --format json` prints: what postls has changed in a configuration directory,
/// the oldest first.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "postls history")]
pub(super) struct History<'a> {
    /// The name of this form. Fields may be added to it; none is changed or taken away.
    #[schemars(extend("const" = "postls/history/v1"))]
    schema: &'static str,
    /// The generations that are kept.
    generations: Vec<One<'a>>,
}

/// What one command has changed.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "generation")]
struct One<'a> {
    /// Its number, for `postls rollback`.
    number: u64,
    /// When, in UTC: 2026-11-30T17:00:00Z.
    time: String,
    /// The command, such as `apply` or `rollback 3`.
    command: &'a str,
    /// The policy file; null where there was none.
    policy: Option<&'a str>,
    /// The reason that the command line gave; null where it gave none.
    reason: Option<&'a str>,
    /// What less was asked of since then.
    downgrades: Vec<Less<'a>>,
    /// The files that it changed, relative to the configuration directory.
    files: Vec<Replaced<'a>>,
}

/// A destination of which less is asked.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "downgrade")]
struct Less<'a> {
    /// The next-hop destination; null: all that no row speaks of.
    destination: Option<&'a str>,
    /// What held before.
    from: &'a str,
    /// What held afterwards.
    to: &'a str,
    /// The fingerprints that it lost.
    pins_removed: &'a [String],
    /// Who answers for it, as the policy file said.
    owner: Option<&'a str>,
    /// Why, as the policy file said.
    reason: Option<&'a str>,
}

/// A file that was changed.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "changed-file")]
struct Replaced<'a> {
    /// Its name.
    file: &'a str,
    /// SHA-256 of its bytes before; null where it was not there.
    before: Option<&'a str>,
    /// SHA-256 of its bytes afterwards; null where it was removed.
    after: Option<&'a str>,
}

/// For programs.
pub fn to_json(generations: &[Generation]) -> String {
    json::pretty(&History {
        schema: "postls/history/v1",
        generations: generations.iter().map(one).collect(),
    })
}

fn one(generation: &Generation) -> One<'_> {
    One {
        number: generation.number,
        time: time(generation.time),
        command: &generation.command,
        policy: generation.policy.as_deref(),
        reason: generation.note.reason.as_deref(),
        downgrades: generation.note.downgrades.iter().map(less).collect(),
        files: generation
            .files
            .iter()
            .map(|it| Replaced {
                file: &it.name,
                before: it.before.as_ref().map(|it| it.sha256.as_str()),
                after: it.after.as_ref().map(|it| it.sha256.as_str()),
            })
            .collect(),
    }
}

fn less(downgrade: &Downgrade) -> Less<'_> {
    Less {
        destination: downgrade.destination.as_deref(),
        from: &downgrade.from,
        to: &downgrade.to,
        pins_removed: &downgrade.pins_removed,
        owner: downgrade.owner.as_deref(),
        reason: downgrade.reason.as_deref(),
    }
}

/// For people: a line for each generation, the last one first, and what less was asked of.
pub fn human(generations: &[Generation]) -> String {
    generations.iter().rev().map(paragraph).collect()
}

fn paragraph(it: &Generation) -> String {
    let mut files: Vec<&str> = it.files.iter().map(|it| it.name.as_str()).collect();
    if files.is_empty() {
        files = it.indexes.iter().map(|it| it.name.as_str()).collect();
    }
    let policy = it.policy.as_deref().map(|it| format!(" {}", printable(it))).unwrap_or_default();
    let mut text = format!(
        "{:>4}  {}  {}{policy}: {}\n",
        it.number,
        time(it.time),
        printable(&it.command),
        printable(&files.join(", "))
    );
    // Writing to a String cannot fail.
    if let Some(reason) = &it.note.reason {
        let _ = writeln!(text, "      because: {}", printable(reason));
    }
    for less in &it.note.downgrades {
        let _ = writeln!(text, "      {}", lowered(less));
    }
    text
}

fn lowered(less: &Downgrade) -> String {
    let destination = less.destination.as_deref().unwrap_or("all other destinations");
    let mut text = format!(
        "lowered {}: {} -> {}",
        printable(destination),
        printable(&less.from),
        printable(&less.to)
    );
    if !less.pins_removed.is_empty() {
        let _ = write!(text, ", without {}", less.pins_removed.join(", "));
    }
    let why = [less.owner.as_deref(), less.reason.as_deref()];
    let why: Vec<String> = why.into_iter().flatten().map(printable).collect();
    if !why.is_empty() {
        let _ = write!(text, " ({})", why.join(": "));
    }
    text
}

/// 2026-11-30T17:00:00Z
pub fn time(seconds: u64) -> String {
    let (day, second) = (seconds / 86_400, seconds % 86_400);
    let date = Date::of_unix_day(day).map_or_else(|| format!("day {day}"), |it| it.to_string());
    format!("{date}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}
