//! A plan: by policy, by parameter, then the text.

use std::fmt::Write;

use similar::TextDiff;

use super::human::printable;
use super::{Style, plan_json};
use crate::apply::{Done, Told};
use crate::plan::{Change, ParameterChange, Plan, PolicyChange, Stale, Trend};

/// What a person can look through: more changes than this are counted, not listed.
const MAX_ITEMS: usize = 500;
/// The same for lines of the text.
const MAX_PATCH: usize = 2000;

/// For people.
pub fn human(plan: &Plan, style: Style) -> String {
    if plan.changes.is_empty() {
        return "nothing to change: the configuration is as the policy file wants it\n".to_owned();
    }
    let mut text = in_words(plan);
    if plan.reload {
        text.push_str("a running Postfix has to be reloaded\n\n");
    }
    let patch = first_lines(&printable_patch(plan), MAX_PATCH, "--format patch shows all");
    text.push_str(&if style.color { colored(&patch) } else { patch });
    text
}

/// What changes: policies, parameters, files, a line each.
pub(super) fn in_words(plan: &Plan) -> String {
    let mut text = String::new();
    section(&mut text, "policies", plan.policies.iter().map(policy));
    section(&mut text, "parameters", plan.parameters.iter().map(parameter));
    section(&mut text, "files", plan.changes.iter().map(file));
    text
}

/// The first lines of a long text, and how many are left out.
fn first_lines(text: &str, most: usize, help: &str) -> String {
    let Some((end, _)) = text.match_indices('\n').nth(most) else { return text.to_owned() };
    let left = text[end + 1..].lines().count();
    if left == 0 {
        text.to_owned()
    } else {
        format!("{}\n… and {left} more lines; {help}\n", &text[..end])
    }
}

/// The text part alone, for patch(1): the bytes as they are.
pub fn patch(plan: &Plan) -> Vec<u8> {
    let mut patch = Vec::new();
    for change in &plan.changes {
        let (name, old, new) = match change {
            Change::Write { name, old, new, .. } => (name, old.as_deref(), Some(new.as_slice())),
            Change::Remove { name, old: Some(old) } => (name, Some(old.as_slice()), None),
            Change::Remove { old: None, .. } | Change::Index { .. } => continue,
        };
        let diff = TextDiff::from_lines(old.unwrap_or_default(), new.unwrap_or_default());
        let before = if old.is_some() { name.as_str() } else { "/dev/null" };
        let after = if new.is_some() { name.as_str() } else { "/dev/null" };
        // Writing to memory cannot fail.
        let _ = diff.unified_diff().header(before, after).to_writer(&mut patch);
    }
    patch
}

/// The same for people, and where text is wanted.
pub(super) fn printable_patch(plan: &Plan) -> String {
    printable_lines(&String::from_utf8_lossy(&patch(plan)))
}

/// What a running Postfix knows of it, to be said behind what was done.
pub fn told(told: &Told) -> String {
    match told {
        Told::NotNeeded | Told::NotRunning => String::new(),
        Told::Reloaded => ", and Postfix was reloaded".to_owned(),
        Told::NotTold(why) => format!("; a running Postfix was not reloaded: {why}"),
    }
}

/// Changes for programs; `done` is what was done about them, if anything was tried.
pub fn to_json(plan: &Plan, done: Option<&Done>) -> String {
    plan_json::changes(plan, done)
}

fn section(text: &mut String, title: &str, mut lines: impl Iterator<Item = String>) {
    let shown: Vec<String> = lines.by_ref().take(MAX_ITEMS).collect();
    let left = lines.count();
    if !shown.is_empty() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{title}:\n{}", shown.join("\n"));
        if left > 0 {
            let _ = writeln!(text, "  … and {left} more; --format json lists all");
        }
        text.push('\n');
    }
}

fn trend(trend: Trend) -> &'static str {
    match trend {
        Trend::Added => "added",
        Trend::Removed => "removed",
        Trend::Raised => "raised",
        Trend::Lowered => "lowered",
        Trend::Pins => "pins changed",
        Trend::Changed => "changed",
    }
}

fn policy(change: &PolicyChange) -> String {
    let sign = match change.trend {
        Trend::Added => '+',
        Trend::Removed => '-',
        Trend::Raised | Trend::Lowered | Trend::Pins | Trend::Changed => '~',
    };
    let what = match (change.old.as_deref(), change.new.as_deref()) {
        (Some(old), Some(new)) => format!("{} -> {}", short(old), short(new)),
        (old, new) => short(new.or(old).unwrap_or_default()),
    };
    let foreign = if change.foreign { " (not written by postls)" } else { "" };
    let destination = printable(&change.destination);
    let mut line = format!("  {sign} {destination:<28} {}{foreign}: {what}", trend(change.trend));
    for (sign, pins) in [('+', &change.pins_added), ('-', &change.pins_removed)] {
        for pin in pins.iter().filter(|_| change.old.is_some() && change.new.is_some()) {
            let _ = write!(line, "\n      {sign} {pin}");
        }
    }
    line
}

/// A policy with its pins counted instead of written out: they follow below, if they change.
fn short(policy: &str) -> String {
    let (pins, words): (Vec<&str>, Vec<&str>) = policy
        .split(' ')
        .partition(|word| policy.starts_with("fingerprint") && word.starts_with("match="));
    let pins: usize = pins.iter().map(|pin| pin.split('|').count()).sum();
    let s = if pins == 1 { "" } else { "s" };
    let counted = if pins == 0 { String::new() } else { format!(", {pins} pin{s}") };
    printable(&words.join(" ")) + &counted
}

fn parameter(change: &ParameterChange) -> String {
    let shown = |value: &Option<String>| value.as_deref().map(printable);
    match (shown(&change.old), shown(&change.new)) {
        (None, new) => format!("  + {} = {}", change.name, new.unwrap_or_default()),
        (Some(old), None) => format!("  - {} = {old}", change.name),
        (Some(old), Some(new)) => format!("  ~ {} = {old} -> {new}", change.name),
    }
}

fn file(change: &Change) -> String {
    match change {
        Change::Write { name, old: None, .. } => format!("  + {name}"),
        Change::Write { name, .. } => format!("  ~ {name}"),
        Change::Remove { name, .. } => format!("  - {name}"),
        Change::Index { kind, name, why, .. } => {
            let why = match why {
                Stale::SourceChanges => "the table changes",
                Stale::Missing => "there is none",
                Stale::Differs => "it holds something else than the table",
            };
            format!("  ~ index of {kind}:{name}: {why}")
        }
    }
}

fn colored(patch: &str) -> String {
    let paint = |line: &str| {
        let code = match line.as_bytes().first() {
            Some(b'+') => "32",
            Some(b'-') => "31",
            Some(b'@') => "36",
            _ => return line.to_owned() + "\n",
        };
        format!("\u{1b}[{code}m{line}\u{1b}[0m\n")
    };
    patch.lines().map(paint).collect()
}

/// A text whose lines may hold anything, for people.
pub fn printable_lines(text: &str) -> String {
    text.split_inclusive('\n')
        .map(|line| {
            let (line, end) = line.strip_suffix('\n').map_or((line, ""), |it| (it, "\n"));
            line.split('\t').map(printable).collect::<Vec<_>>().join("\t") + end
        })
        .collect()
}
