//! Pins for programs. The form is a promise: fields are added, never changed.

use schemars::JsonSchema;
use serde::Serialize;

use super::json;
use super::pin::{self, Pins, effect, next, place, sentence};
use crate::policy::rotation::{PinState, Rotation, Urgency};
use crate::policy::yaml::edit::PinKey;

/// What `postls pin status --format json` and `postls pin list --format json` print: the pins of
/// the policy file, and what has to be done about them.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "postls pin status")]
pub(super) struct Status {
    /// The name of this form. Fields may be added to it; none is changed or taken away.
    #[schemars(extend("const" = "postls/pins/v1"))]
    schema: &'static str,
    /// The day on which this is so, such as 2027-01-31.
    today: String,
    /// The digest in force; null if it is one that postls does not know.
    digest: Option<String>,
    /// How many destinations have something to do whose day has come.
    overdue: usize,
    /// How many have something to do soon.
    due: usize,
    /// The destinations that have pins.
    destinations: Vec<Pinned>,
}

/// A next-hop destination.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "destination")]
struct Pinned {
    /// Its name.
    destination: String,
    /// The file that says it.
    file: String,
    /// The line there.
    line: u32,
    /// How pressing its first task is.
    state: State,
    /// The days until then, negative if they have passed; null where there is no task with a day.
    days: Option<i64>,
    /// How it is, in a sentence.
    status: String,
    /// What to do next, in a sentence.
    next: String,
    /// Whether the table has the same pins as the policy file.
    applied: bool,
    /// Why its pins have no effect where they are applied; null where they have.
    without_effect: Option<String>,
    /// Whether all pins that are not overdue are of one key.
    without_backup: bool,
    /// Its pins, in the order of the file.
    pins: Vec<Pin>,
}

/// How pressing something is.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "state")]
enum State {
    /// Its day has come.
    Overdue,
    /// Its day comes soon.
    Due,
    /// There is time, or nothing to do.
    Ok,
}

/// A pin.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "pin")]
struct Pin {
    /// Its number, from 1, as `postls pin retire` takes it.
    number: usize,
    /// What its fingerprint is of: public-key or certificate.
    of: &'static str,
    /// Its fingerprint in the digest in force; null if it cannot be had.
    fingerprint: Option<String>,
    /// The fingerprints that the policy file says.
    given: Vec<String>,
    /// The file that it is made of; null where there is none.
    pem: Option<String>,
    /// The file that says it.
    file: String,
    /// The line there.
    line: u32,
    /// Whether Postfix is told of it.
    in_force: bool,
    /// The remark; null where there is none.
    note: Option<String>,
    /// The day on which it was added; null where nobody said.
    added: Option<String>,
    /// The day from which on it should be gone; null where there is none.
    retire: Option<String>,
    /// The days until then, negative if they have passed.
    retire_days: Option<i64>,
    /// The last day of its certificate; null where that is not known.
    certificate_ends: Option<String>,
    /// The days until then, negative if they have passed.
    certificate_ends_days: Option<i64>,
}

/// The pins as one JSON object.
pub(super) fn pins(pins: &pin::Pins<'_>) -> String {
    let count =
        |urgency| pins.rotations.iter().filter(|it| it.urgency(pins.within) == urgency).count();
    json::pretty(&Status {
        schema: "postls/pins/v1",
        today: pins.today.to_string(),
        digest: pins.digest.map(|it| it.to_string()),
        overdue: count(Urgency::Overdue),
        due: count(Urgency::Due),
        destinations: pins.rotations.iter().map(|it| destination(pins, it)).collect(),
    })
}

fn destination(pins: &Pins<'_>, rotation: &Rotation<'_>) -> Pinned {
    let (file, line) = place(pins.sources, rotation.destination.nexthop.span);
    let of_pin = |(index, state)| pin(pins, index, state);
    Pinned {
        destination: rotation.destination.nexthop.value.to_string(),
        file: file.to_owned(),
        line,
        state: match rotation.urgency(pins.within) {
            Urgency::Overdue => State::Overdue,
            Urgency::Due => State::Due,
            Urgency::Fine => State::Ok,
        },
        days: rotation.task.map(|it| it.days),
        status: sentence(rotation),
        next: next(rotation, pins.within),
        applied: rotation.is_applied,
        without_effect: effect(rotation.effect),
        without_backup: rotation.without_backup,
        pins: rotation.pins.iter().enumerate().map(of_pin).collect(),
    }
}

fn pin(pins: &Pins<'_>, index: usize, state: &PinState<'_>) -> Pin {
    let (file, line) = place(pins.sources, state.pin.span);
    let pin = state.pin;
    Pin {
        number: index + 1,
        of: PinKey::from(pin.of).name(),
        fingerprint: state.fingerprint.as_ref().map(ToString::to_string),
        given: pin.given.iter().map(|it| it.value.to_string()).collect(),
        pem: pin.pem.as_ref().map(|it| it.path.value.clone()),
        file: file.to_owned(),
        line,
        in_force: state.in_force,
        note: pin.note.as_ref().map(|it| it.value.clone()),
        added: pin.added.map(|it| it.value.to_string()),
        retire: pin.retire.map(|it| it.value.to_string()),
        retire_days: state.retires_in,
        certificate_ends: state.certificate_ends.map(|it| it.0.to_string()),
        certificate_ends_days: state.certificate_ends.map(|it| it.1),
    }
}
