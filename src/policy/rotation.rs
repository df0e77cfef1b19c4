//! What has to be done about the pins of a destination, and when.
//!
//! Overdue is a pin whose day to go has come, and a destination to which no pin is left that lasts:
//! each one that should still be there is of a certificate that has ended. Postfix itself looks at
//! no dates of pinned certificates, but the server will have got another one by then, and mail to it
//! waits. The end of a certificate is known where its file is; a pin of a key outlasts it.
//!
//! Known limit: what an indexed file holds that is older than its table is not looked at.

use super::{Date, Destination, Pin};
use crate::certificate::Of;
use crate::postfix::{Digest, Fingerprint, SecurityLevel};

/// Within how many days a task is shown as due.
pub const SOON: i64 = 30;

/// The pins of one destination.
#[derive(Clone, Debug)]
pub struct Rotation<'p> {
    /// The destination.
    pub destination: &'p Destination,
    /// Its pins, in the order of the file. Never empty.
    pub pins: Vec<PinState<'p>>,
    /// Whether they have an effect where the policy file is applied.
    pub effect: Effect,
    /// Whether the table has the same pins.
    pub is_applied: bool,
    /// What is to be done first; `None`: nothing with a day.
    pub task: Option<Task>,
    /// Whether all pins that are not overdue are of one key: if it is lost, mail waits.
    pub without_backup: bool,
}

/// What apply makes of the pins of a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It puts them in force.
    InForce,
    /// The destination is only tested.
    Testing,
    /// The level is another one, at which they do not count.
    Level(SecurityLevel),
}

/// How the table differs from the policy file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unapplied<'a> {
    /// The fingerprints that the table does not have yet.
    pub added: &'a [String],
    /// Those that it still has.
    pub removed: &'a [String],
}

/// A pin today.
#[derive(Clone, Debug)]
pub struct PinState<'p> {
    /// The pin.
    pub pin: &'p Pin,
    /// What the table gets for it, if the digest in force can be had.
    pub fingerprint: Option<Fingerprint>,
    /// Whether Postfix is told of it.
    pub in_force: bool,
    /// The days until it should be gone; zero or less: it should be.
    pub retires_in: Option<i64>,
    /// The last day of its certificate, where that is known, and the days until then.
    pub certificate_ends: Option<(Date, i64)>,
}

/// Something that has to be done by a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// The pin that it is about, counted from 0.
    pub pin: usize,
    /// What.
    pub what: What,
    /// The days that are left; zero or less: it is overdue.
    pub days: i64,
}

/// What has to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The pin is to be taken out.
    TakeOut,
    /// The pin is to be taken out, and no other one stays: the new one has to come first.
    Replace,
    /// The certificate of the pin ends, and no other pin lasts longer.
    Renew,
}

/// How pressing it is; the most pressing first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Its day has come.
    Overdue,
    /// Its day comes soon.
    Due,
    /// There is time, or nothing to do.
    Fine,
}

impl<'p> Rotation<'p> {
    /// Of a destination, if it has pins; `digest`: the one in force, if postls knows it.
    pub fn new(
        destination: &'p Destination,
        digest: Option<Digest>,
        today: Date,
        unapplied: Unapplied<'_>,
    ) -> Option<Rotation<'p>> {
        let pins = destination.policy.pins.as_deref().filter(|it| !it.is_empty())?;
        let effect = Effect::of(destination);
        let state = |pin: &'p Pin| {
            let fingerprint = pin.in_force(digest).map(|it| it.value);
            let is_live = |it: &Fingerprint| !unapplied.added.contains(&it.to_string());
            let in_force = effect == Effect::InForce && fingerprint.as_ref().is_some_and(is_live);
            PinState::new(pin, fingerprint, in_force, today)
        };
        let pins: Vec<PinState<'p>> = pins.iter().map(state).collect();
        let mut staying = pins.iter().filter(|it| !it.is_retired());
        let first = staying.next();
        let without_backup =
            first.is_some_and(|first| staying.all(|it| it.pin.has_same_key(first.pin)));
        let task = tasks(&pins).into_iter().min_by_key(|it| (it.days, it.pin));
        let is_applied = unapplied.added.is_empty() && unapplied.removed.is_empty();
        Some(Rotation { destination, pins, effect, is_applied, task, without_backup })
    }

    /// How pressing its first task is; `within`: the days that are soon.
    pub fn urgency(&self, within: i64) -> Urgency {
        match self.task {
            Some(task) if task.days <= 0 => Urgency::Overdue,
            Some(task) if task.days <= within => Urgency::Due,
            Some(_) | None => Urgency::Fine,
        }
    }

    /// Sorts destinations by what is to be done first, and those with nothing to do by name.
    pub fn order(&self) -> (i64, bool, String) {
        let days = self.task.map_or(i64::MAX, |it| it.days);
        (days, !self.without_backup, self.destination.nexthop.value.to_string())
    }
}

impl Effect {
    /// What apply makes of the pins of this destination.
    pub fn of(destination: &Destination) -> Effect {
        match destination.policy.level.map(|it| it.value) {
            Some(level) if level != SecurityLevel::Fingerprint => Effect::Level(level),
            _ if destination.testing => Effect::Testing,
            _ => Effect::InForce,
        }
    }
}

impl<'p> PinState<'p> {
    fn new(
        pin: &'p Pin,
        fingerprint: Option<Fingerprint>,
        in_force: bool,
        today: Date,
    ) -> PinState<'p> {
        let certificate = pin.subject().and_then(|it| it.certificate());
        let ends = certificate.and_then(|it| Date::of_second(it.not_after));
        PinState {
            pin,
            fingerprint,
            in_force,
            retires_in: pin.retire.map(|it| today.days_to(it.value)),
            certificate_ends: ends.map(|it| (it, today.days_to(it))),
        }
    }

    fn is_retired(&self) -> bool {
        self.retires_in.is_some_and(|it| it <= 0)
    }

    /// The days until it is of no use any more, with the certificate that it is of.
    fn useless_in(&self) -> Option<i64> {
        // On its last day it is still valid.
        let (_, ends) = self.certificate_ends.filter(|_| self.pin.of == Of::Certificate)?;
        Some(ends + 1)
    }
}

fn tasks(pins: &[PinState<'_>]) -> Vec<Task> {
    let mut tasks = Vec::new();
    for (pin, state) in pins.iter().enumerate() {
        let Some(days) = state.retires_in else { continue };
        let stays = |(other, it): (usize, &PinState<'_>)| {
            other != pin && !it.is_retired() && it.retires_in.is_none_or(|it| it > days)
        };
        let what = if pins.iter().enumerate().any(stays) { What::TakeOut } else { What::Replace };
        tasks.push(Task { pin, what, days });
    }
    let left: Vec<(usize, &PinState<'_>)> =
        pins.iter().enumerate().filter(|it| !it.1.is_retired()).collect();
    let ends: Vec<(i64, usize)> =
        left.iter().filter_map(|(pin, it)| Some((it.useless_in()?, *pin))).collect();
    if ends.len() == left.len()
        && let Some((days, pin)) = ends.into_iter().max()
    {
        tasks.push(Task { pin, what: What::Renew, days });
    }
    tasks
}
