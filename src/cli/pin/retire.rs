//! `postls pin retire`

use std::path::Path;

use clap::Args;

use super::change::{self, How, Target, Work};
use super::{date, nexthop};
use crate::cli::{Common, Outcome, Stop};
use crate::host::System;
use crate::policy::yaml::edit::Change;
use crate::policy::{Date, Nexthop, Pin};
use crate::postfix::Fingerprint;
use crate::report::pin::in_shell;
use crate::text::shortened;

#[derive(Args)]
pub(super) struct Retire {
    /// The next-hop destination, as the policy file has it
    #[arg(value_name = "DEST", value_parser = nexthop)]
    destination: Nexthop,
    /// The pin: its number in the list, its fingerprint or four digits or more that begin it, or its
    /// pem file
    #[arg(value_name = "PIN")]
    pin: String,
    /// The day from which on it should be gone; default: today
    #[arg(long, value_name = "DATE", value_parser = date)]
    on: Option<Date>,
    /// Take it out now
    #[arg(long, conflicts_with = "on")]
    remove: bool,
    /// Do so even if no other pin stays
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    how: How,
}

impl Retire {
    pub(super) fn run(&self, common: &Common, policy: Option<&Path>) -> Result<Outcome, Stop> {
        let host = System;
        let (loaded, request) = change::load_policy(&host, common, policy)?;
        let target = Target::find(&loaded, common, &self.destination, self.how.in_profile)?;
        let pins = target.pins(&loaded);
        let pin = named_pin(pins, &self.pin, &self.destination)?;
        let Some(today) = loaded.today else {
            return Err(Stop("this host's clock shows no day".to_owned()));
        };
        let day = self.on.unwrap_or(today);
        let others = || pins.iter().enumerate().filter(|(index, _)| *index != pin);
        if self.remove && pins.len() == 1 {
            return Err(Stop(format!(
                "pin {} is the only one of {}: without it no server would do; pin the next key \
                 first, or take the destination out; nothing was changed",
                pin + 1,
                self.destination
            )));
        }
        let stays = |it: &Pin| it.retire.is_none_or(|it| it.value > day);
        if !self.force && !others().any(|(_, it)| stays(it)) {
            return Err(Stop(format!(
                "no other pin of {} stays beyond {day}; pin the next key first with \
                 `postls pin add`, or say --force; nothing was changed",
                self.destination
            )));
        }
        let (number, entry) = (pin + 1, target.entry(&pins[pin])?);
        let is_so = !self.remove && pins[pin].retire.is_some_and(|it| it.value == day);
        let mut work = Work { host: &host, loaded: &loaded, request, target, changed: None };
        let said = if is_so {
            format!("pin {number} of {} is to go on {day} already\n", self.destination)
        } else if self.remove {
            work.make(&Change::Remove { pin: entry })?;
            format!("pin {number} of {} is taken out\n", self.destination)
        } else {
            work.make(&change::retire(entry, day))?;
            format!("pin {number} of {}: retire {day}\n", self.destination)
        };
        work.read_again(common)?;
        let then = if self.remove {
            // A pin less is never put in force by chance.
            format!("`postls apply --allow-downgrade '{}'` puts it in force", self.destination)
        } else {
            "it counts until it is taken out; `postls pin status` says when to do that".to_owned()
        };
        work.finish(common, &self.how, &said, &then)
    }
}

/// How many digits a beginning has at least. Whoever repeats a command that took a pin out must not
/// take another one out, whose fingerprint in some digest happens to begin with the number.
const BEGINNING: usize = 4;

/// The pin that somebody means.
fn named_pin(pins: &[Pin], name: &str, of: &Nexthop) -> Result<usize, Stop> {
    let plain = |it: &str| it.replace(':', "").to_ascii_uppercase();
    let wanted = plain(name);
    let number = name.parse::<usize>().ok().filter(|_| name.len() < BEGINNING);
    if let Some(index) = number.and_then(|it| it.checked_sub(1)).filter(|it| *it < pins.len()) {
        return Ok(index);
    }
    let is_it = |pin: &Pin| {
        let begins = |it: &Fingerprint| plain(&it.to_string()).starts_with(&wanted);
        let given = pin.given.iter().any(|it| begins(&it.value));
        let is_file = pin.pem.as_ref().is_some_and(|it| it.path.value == name);
        is_file
            || (wanted.len() >= BEGINNING && (given || pin.fingerprints().any(|it| begins(&it))))
    };
    let found: Vec<usize> =
        pins.iter().enumerate().filter(|it| is_it(it.1)).map(|it| it.0).collect();
    match found[..] {
        [index] => Ok(index),
        [] => Err(Stop(format!(
            "{of} has no pin \"{}\"; `postls pin list {}` shows those that it has; nothing was changed",
            shortened(name),
            in_shell(&of.to_string())
        ))),
        _ => {
            let numbers: Vec<String> = found.iter().map(|it| (it + 1).to_string()).collect();
            Err(Stop(format!(
                "\"{}\" is the beginning of pins {}; name one by its number; nothing was changed",
                shortened(name),
                numbers.join(", ")
            )))
        }
    }
}
