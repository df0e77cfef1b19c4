//! Pins: as a list, and by what has to be done about them.

use std::fmt::Write;

use super::human::printable;
use super::{Style, pin_json};
use crate::policy::Date;
use crate::policy::rotation::{Effect, PinState, Rotation, Task, Urgency, What};
use crate::policy::yaml::edit::PinKey;
use crate::postfix::Digest;
use crate::text::{Sources, Span};

/// The pins of destinations.
pub struct Pins<'a> {
    /// The files that say them.
    pub sources: &'a Sources,
    /// In the order in which they are shown.
    pub rotations: Vec<Rotation<'a>>,
    /// The digest in force; `None`: one that postls does not know.
    pub digest: Option<Digest>,
    /// The day on which this is so.
    pub today: Date,
    /// The days that are soon.
    pub within: i64,
}

/// For programs.
pub fn json(pins: &Pins<'_>) -> String {
    pin_json::pins(pins)
}

/// All that is known of each pin.
pub fn list(pins: &Pins<'_>, style: Style) -> String {
    let mut text = String::new();
    for rotation in &pins.rotations {
        let name = printable(&rotation.destination.nexthop.value.to_string());
        // Writing to a String cannot fail.
        let _ = match effect(rotation.effect) {
            None => writeln!(text, "{name}"),
            Some(why) => writeln!(text, "{name} (not in force: {why})"),
        };
        for (index, state) in rotation.pins.iter().enumerate() {
            let word = PinKey::from(state.pin.of).name();
            let of = match (&state.fingerprint, pins.digest) {
                (Some(it), Some(digest)) => format!("{digest} {it}"),
                (Some(it), None) => it.to_string(),
                (None, _) => "no fingerprint".to_owned(),
            };
            let _ = writeln!(text, "{:>3}  {word} {of}", index + 1);
            let place = place(pins.sources, state.pin.span);
            let mut facts = vec![format!("{}:{}", printable(place.0), place.1)];
            facts.extend(self::facts(state));
            facts.extend(state.pin.note.iter().map(|it| printable(&it.value)));
            let _ = writeln!(text, "     {}", facts.join(", "));
        }
        let _ = writeln!(text);
    }
    let s = if pins.rotations.len() == 1 { "" } else { "s" };
    if !style.quiet {
        let _ = writeln!(text, "{} destination{s} with pins", pins.rotations.len());
    }
    text
}

/// A line for each destination, which says how it is, and what to do next.
pub fn status(pins: &Pins<'_>, style: Style) -> String {
    let mut text = String::new();
    for rotation in &pins.rotations {
        let word = match rotation.urgency(pins.within) {
            Urgency::Overdue => "OVERDUE",
            Urgency::Due => "DUE",
            Urgency::Fine => "OK",
        };
        let name = printable(&rotation.destination.nexthop.value.to_string());
        let _ = writeln!(text, "{word} - {name}: {}", sentence(rotation));
        if style.quiet {
            continue;
        }
        for (index, state) in rotation.pins.iter().enumerate() {
            let word = PinKey::from(state.pin.of).name();
            let in_force = if state.in_force { "in force" } else { "not in force" };
            let mut facts = vec![in_force.to_owned()];
            facts.extend(self::facts(state));
            let short = state.fingerprint.as_ref().map(|it| beginning(&it.to_string(), style));
            let short = short.unwrap_or_else(|| "no fingerprint".to_owned());
            let _ = writeln!(text, "{:>3}  {word:<11} {short}  {}", index + 1, facts.join(", "));
        }
        let _ = writeln!(text, "     next: {}\n", next(rotation, pins.within));
    }
    text
}

/// Why pins have no effect.
pub fn effect(effect: Effect) -> Option<String> {
    match effect {
        Effect::InForce => None,
        Effect::Testing => Some("testing".to_owned()),
        Effect::Level(level) => Some(format!("the level is {level}")),
    }
}

/// How a destination is, in a sentence.
pub(super) fn sentence(rotation: &Rotation<'_>) -> String {
    let count = rotation.pins.len();
    let s = if count == 1 { "" } else { "s" };
    let Some(Task { pin, what, days }) = rotation.task else {
        let backup = if rotation.without_backup { ", no backup" } else { "" };
        return format!("{count} pin{s}{backup}");
    };
    let state = &rotation.pins[pin];
    let number = pin + 1;
    match what {
        What::TakeOut | What::Replace => {
            let date = state.pin.retire.map(|it| it.value.to_string()).unwrap_or_default();
            let only = if what == What::Replace { ", and no other pin stays" } else { "" };
            if days <= 0 {
                format!("pin {number} should be gone since {date}, {}{only}", ago(days))
            } else {
                format!("pin {number} is to go on {date}, {}{only}", ago(days))
            }
        }
        What::Renew => {
            let date = state.certificate_ends.map(|it| it.0.to_string()).unwrap_or_default();
            let verb = if days <= 0 { "ended" } else { "ends" };
            let when = ago(days - 1);
            format!(
                "the certificate of pin {number} {verb} on {date}, {when}, and no other pin lasts longer"
            )
        }
    }
}

/// What to do next, in a sentence.
pub(super) fn next(rotation: &Rotation<'_>, within: i64) -> String {
    let destination = rotation.destination.nexthop.value.to_string();
    let command =
        |verb: &str, rest: &str| format!("`postls pin {verb} {} {rest}`", in_shell(&destination));
    let add = command("add", "FINGERPRINT");
    if rotation.effect == Effect::InForce && !rotation.is_applied {
        return "`postls apply` puts these pins in force".to_owned();
    }
    if let Some(task) = rotation.task.filter(|it| it.days <= within) {
        let number = task.pin + 1;
        let take_out = command("retire", &format!("{number} --remove"));
        return match (task.what, task.days <= 0) {
            (What::TakeOut, true) => {
                format!("take pin {number} out, once mail goes to the new key: {take_out}")
            }
            (What::TakeOut, false) => {
                format!("in {}, take pin {number} out: {take_out}", days(task.days))
            }
            (What::Replace, _) => {
                format!("pin the new key first: {add}; then take pin {number} out: {take_out}")
            }
            (What::Renew, _) => format!(
                "pin the public key, which may outlast the certificate, or the next certificate: {add}"
            ),
        };
    }
    match rotation.effect {
        Effect::Level(_) => {
            "set level: fingerprint, or take the pins out: they have no effect".to_owned()
        }
        Effect::Testing => "take testing: out to put them in force".to_owned(),
        Effect::InForce if rotation.without_backup => format!(
            "pin a second key, which the other side keeps for when the first one is lost: {add}"
        ),
        Effect::InForce => match rotation.task {
            Some(task) => format!("nothing for {}", days(task.days)),
            None => "nothing".to_owned(),
        },
    }
}

/// The file and line of a place.
pub(super) fn place(sources: &Sources, span: Span) -> (&str, u32) {
    let source = sources.of(span);
    (source.name(), source.line_column(span.start).0.number())
}

/// A word for a shell.
pub fn in_shell(word: &str) -> String {
    let is_safe =
        |it: char| it.is_ascii_alphanumeric() || matches!(it, '.' | '-' | '_' | ':' | '/');
    if word.chars().all(is_safe) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

fn facts(state: &PinState<'_>) -> Vec<String> {
    let mut facts = Vec::new();
    facts.extend(state.pin.pem.iter().map(|it| printable(&it.path.value)));
    facts.extend(state.pin.added.map(|it| format!("added {}", it.value)));
    let retire = state.pin.retire.zip(state.retires_in);
    facts.extend(retire.map(|(it, days)| format!("retire {} ({})", it.value, ago(days))));
    let ends = state.certificate_ends;
    facts.extend(ends.map(|(date, days)| format!("certificate until {date} ({})", ago(days))));
    facts
}

fn ago(count: i64) -> String {
    match count {
        0 => "today".to_owned(),
        1.. => format!("in {}", days(count)),
        _ => format!("{} ago", days(-count)),
    }
}

fn days(count: i64) -> String {
    format!("{count} day{}", if count == 1 { "" } else { "s" })
}

/// Enough of a fingerprint to know it again.
fn beginning(fingerprint: &str, style: Style) -> String {
    let dots = if style.unicode { "…" } else { "..." };
    fingerprint.get(..17).map_or(fingerprint.to_owned(), |it| format!("{it}{dots}"))
}
