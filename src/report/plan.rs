//! A plan: how much changes, by policy, by parameter, then the text.

use std::fmt::Write;

use similar::TextDiff;

use super::human::printable;
use super::{Style, plan_json};
use crate::apply::{Done, Told};
use crate::plan::{Change, ParameterChange, Plan, PolicyChange, Shift, Stale, Trend};
use crate::postfix::SecurityLevel;

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

/// What changes: how many destinations in each way, policies, parameters, files, a line each.
pub(super) fn in_words(plan: &Plan) -> String {
    let mut text = String::new();
    let counts = counts(plan);
    if !counts.is_empty() {
        text.push_str(&counts);
        text.push_str("\n\n");
    }
    // What asks for less is what somebody has to look at.
    let others = plan.others.iter().map(|it| (it, None));
    let all = others.chain(plan.policies.iter().map(|it| (&it.shift, Some(it))));
    let (lowered, rest): (Vec<_>, Vec<_>) = all.partition(|it| it.0.gives_up());
    let lines = lowered.into_iter().chain(rest).map(|(shift, row)| policy(shift, row));
    section(&mut text, "policies", lines);
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

/// How many change in each way: "1 raised, 2 lowered, 1 pin removed".
pub fn counts(plan: &Plan) -> String {
    let sum = plan.summary();
    let pins = |count: usize| if count == 1 { "pin" } else { "pins" };
    let (added, removed) = (pins(sum.pins_added), pins(sum.pins_removed));
    let all = [
        (sum.raised, "raised".to_owned()),
        (sum.lowered, "lowered".to_owned()),
        (sum.added, "added".to_owned()),
        (sum.removed, "removed".to_owned()),
        (sum.pins_changed, "with other pins".to_owned()),
        (sum.changed, "changed".to_owned()),
        (sum.pins_added, format!("{added} added")),
        (sum.pins_removed, format!("{removed} removed")),
    ];
    let counted = all.into_iter().filter(|it| it.0 > 0);
    counted.map(|(count, what)| format!("{count} {what}")).collect::<Vec<_>>().join(", ")
}

/// A destination; without a row all those that no row speaks of.
fn policy(shift: &Shift, row: Option<&PolicyChange>) -> String {
    let (old, new) = (row.and_then(|it| it.old.as_deref()), row.and_then(|it| it.new.as_deref()));
    let sign = match (row, old, new) {
        (Some(_), None, _) => '+',
        (Some(_), _, None) => '-',
        (None, ..) | (_, Some(_), Some(_)) => '~',
    };
    let by_main_cf = |level: Option<SecurityLevel>| {
        level.map_or("none that is known", SecurityLevel::name).to_owned()
    };
    let gives_up = shift.gives_up();
    let mut what = match (old, new) {
        (Some(old), Some(new)) if old == new => short(old),
        (Some(old), Some(new)) => format!("{} -> {}", short(old), short(new)),
        (Some(old), None) if gives_up => format!("{} -> {}", short(old), by_main_cf(shift.after)),
        (None, Some(new)) if gives_up => format!("{} -> {}", by_main_cf(shift.before), short(new)),
        (Some(row), None) | (None, Some(row)) => short(row),
        (None, None) => format!("{} -> {}", by_main_cf(shift.before), by_main_cf(shift.after)),
    };
    let weaker: Vec<&str> = shift.weaker.iter().map(|it| it.name()).collect();
    if weaker.iter().any(|it| *it != "level") {
        // It does not show in the words above, or is easily overlooked there.
        let _ = write!(what, " (weaker: {})", weaker.join(", "));
    }
    let foreign = if row.is_some_and(|it| it.foreign) { " (not written by postls)" } else { "" };
    let name =
        row.map_or_else(|| "all other destinations".to_owned(), |it| printable(&it.destination));
    let mut line = format!("  {sign} {name:<28} {}{foreign}: {what}", trend(shift.trend));
    let added = if old.is_some() { shift.pins_added.as_slice() } else { &[] };
    for (sign, pins) in [('+', added), ('-', &shift.pins_removed)] {
        for pin in pins {
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
