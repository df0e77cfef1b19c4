//! `postls apply`

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::allowance::Allowance;
use super::image::{Image, Place};
use super::interruption::{self, Then};
use super::load::resolved;
use super::planning::{self, Planned};
use super::{CHANGED, Common, FAILED, OK, Outcome, Stop, complain, failed, stored};
use crate::apply::settled::{self, Witness};
use crate::apply::{self, Done, Failure, KEEP, Options, Record};
use crate::host::{Host, System};
use crate::plan::Plan;
use crate::report::{failure, plan};
use crate::text::shortened;

/// So often a plan is made again, where somebody changes files while it is made.
const TRIES: usize = 5;

#[derive(Args)]
#[allow(clippy::struct_excessive_bools, reason = "they are the flags of a command line")]
pub(super) struct Apply {
    /// The policy file, or a plan of `diff --out`; default: postls.yaml in the configuration directory
    #[arg(value_name = "POLICY")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    image: Image,
    /// Only say what would change
    #[arg(long)]
    check: bool,
    /// Show the changes
    #[arg(long)]
    diff: bool,
    /// Drop the rows of a table that postls did not write
    #[arg(long)]
    adopt: bool,
    #[command(flatten)]
    allowance: Allowance,
    /// When a running Postfix reads its files again
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    reload: Reload,
    /// How many generations are kept for `rollback`
    #[arg(long, value_name = "NUMBER", default_value_t = KEEP)]
    keep: usize,
    /// Exit with 10 if something changed
    #[arg(long)]
    detailed_exitcode: bool,
    /// The form of the output
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Reload {
    /// Where it would not notice by itself
    Auto,
    /// Whenever something changed
    Always,
    Never,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line or two
    Human,
    /// One JSON object
    Json,
}

impl From<Reload> for apply::Reload {
    fn from(reload: Reload) -> apply::Reload {
        match reload {
            Reload::Auto => apply::Reload::Auto,
            Reload::Always => apply::Reload::Always,
            Reload::Never => apply::Reload::Never,
        }
    }
}

/// What became of it.
enum Tried {
    Done(Outcome),
    /// Why not, and the exit status.
    Failed(String, u8),
}

/// A plan, and what has to be known before it is made true.
struct Prepared {
    plan: Plan,
    /// Errors of the result, drawn; empty: none.
    errors: String,
    directory: PathBuf,
    /// The table that it writes.
    table: String,
    /// Where it comes from, for `history`.
    from: String,
    /// The destinations of the policy file, if somebody names some; `None`: the plan comes out of a file.
    known: Option<Vec<String>>,
    /// Whether nothing is left to do when it is true.
    is_final: bool,
}

impl Apply {
    pub(super) fn run(&self, common: &Common) -> Outcome {
        let tried = self.attempt(common).unwrap_or_else(|Stop(why)| Tried::Failed(why, FAILED));
        match tried {
            Tried::Done(outcome) => outcome,
            Tried::Failed(why, status) => {
                complain(&why);
                let output = match self.format {
                    Format::Json => failure::to_json(&why, status).into_bytes(),
                    Format::Human => Vec::new(),
                };
                Outcome { output, status }
            }
        }
    }

    fn attempt(&self, common: &Common) -> Result<Tried, Stop> {
        let place = self.image.place()?;
        if self.reload == Reload::Always && !place.can_run() {
            return Err(Stop(
                "nothing runs below --root that --reload always could reload".to_owned(),
            ));
        }
        let host = place.host();
        let then = if self.check { Then::Look } else { Then::Change };
        let directory = resolved(host, &common.directory());
        if let Err(failure) = interruption::put_right(host, &directory, then) {
            return Ok(Tried::Failed(failure.to_string(), failed(&failure)));
        }
        let asked = self.decides(common);
        // Words of --allow-downgrade that name nobody are warned of.
        let is_plain = place.can_run() && !self.allowance.names_destinations();
        if is_plain && settled::holds(host, &directory, &asked) {
            if common.verbose {
                complain("everything is as it was when nothing was left to do");
            }
            let done = Done::nothing();
            let done = Some(&done).filter(|_| !self.check);
            return Ok(Tried::Done(self.outcome(common, &Plan::default(), done)));
        }
        let mut tries = 0;
        loop {
            tries += 1;
            let witness = Witness::new(host);
            // What is only checked changes nothing, and leaves no notes.
            let through: &dyn Host = if self.check { host } else { &witness };
            let prepared = self.prepare(&place, through, common)?;
            if self.check {
                return Ok(Tried::Done(self.outcome(common, &prepared.plan, None)));
            }
            match self.make_true(&place, &prepared) {
                Ok(done) => {
                    done.notes.iter().for_each(|it| complain(it));
                    if prepared.is_final && place.can_run() {
                        settled::record(&witness, &directory, &asked, &prepared.plan);
                    }
                    return Ok(Tried::Done(self.outcome(common, &prepared.plan, Some(&done))));
                }
                // Another plan can be made of the policy file; one that comes out of a file is what
                // somebody has looked at.
                Err(Failure::Stale(_)) if prepared.known.is_some() && tries < TRIES => {}
                Err(failure) => return Ok(Tried::Failed(failure.to_string(), failed(&failure))),
            }
        }
    }

    /// The plan in a file, or that of the policy file, if nothing speaks against it.
    fn prepare(&self, place: &Place, host: &dyn Host, common: &Common) -> Result<Prepared, Stop> {
        let mut prepared = self.read(place, host, common)?;
        let Prepared { plan, errors, table, known, .. } = &mut prepared;
        if !errors.is_empty() {
            return Err(Stop(format!(
                "the result would have errors; nothing was changed\n\n{errors}"
            )));
        }
        let foreign: Vec<&str> = plan.foreign().collect();
        if !foreign.is_empty() && !self.adopt {
            return Err(Stop(format!(
                "{table} has rows that postls did not write and the policy file does not have: {}; \
                 take them over into the policy file (postls import shows how), or drop them with \
                 --adopt; nothing was changed",
                shortened(&foreign.join(", "))
            )));
        }
        self.allowance.check(plan, known.as_deref())?;
        plan.note = self.allowance.note(plan);
        Ok(prepared)
    }

    fn read(&self, place: &Place, host: &dyn Host, common: &Common) -> Result<Prepared, Stop> {
        // It is a file of this machine, also with --root.
        if let Some(path) = self.policy.as_deref()
            && let Some(bytes) = stored::plan_in(&System, path)
        {
            let (planned, directory, table) = stored::read(host, common, path, &bytes)?;
            let Planned { plan, errors, .. } = planned;
            let is_final = false;
            let from = path.to_string_lossy().into_owned();
            return Ok(Prepared { plan, errors, directory, table, from, known: None, is_final });
        }
        let (loaded, request) = planning::load_in(place, host, common, self.policy.as_deref())?;
        let planned = planning::plan(host, &loaded, &request, common.style())?;
        let Planned { plan, errors, is_final } = planned;
        let Some(policy) = &loaded.policy else {
            return Err(Stop("there is no policy file".to_owned()));
        };
        // A million of them are not listed for nothing.
        let asked = if self.allowance.names_destinations() {
            policy.policies.destinations.as_slice()
        } else {
            &[]
        };
        let known = Some(asked.iter().map(|it| it.nexthop.value.to_string()).collect());
        let (table, from) = (policy.policies.table.path.clone(), policy.short_name.clone());
        Ok(Prepared { plan, errors, directory: request.directory, table, from, known, is_final })
    }

    fn make_true(&self, place: &Place, prepared: &Prepared) -> Result<Done, Failure> {
        let reload = match self.reload {
            _ if !place.can_run() => apply::Reload::Never,
            reload => reload.into(),
        };
        let (command, policy) = ("apply", Some(prepared.from.as_str()));
        let record = Record::Generation { command, policy, keep: self.keep };
        let options = Options { reload, record };
        apply::apply(place.host(), &prepared.directory, &prepared.plan, &options)
    }

    /// What the command line says that decides on a plan.
    fn decides(&self, common: &Common) -> String {
        format!("{:?}", (common.postfix, &self.policy))
    }

    /// What is printed; `done` is what was done, if that was tried.
    fn outcome(&self, common: &Common, plan: &Plan, done: Option<&Done>) -> Outcome {
        let changed = !plan.changes.is_empty();
        let status = if changed && self.detailed_exitcode { CHANGED } else { OK };
        let output = match self.format {
            Format::Json => plan::to_json(plan, done),
            Format::Human => {
                let mut text = String::new();
                if changed && (self.diff || self.check) {
                    text = plan::human(plan, common.style());
                }
                if !common.quiet {
                    text.push_str(&closing(done, changed));
                }
                text
            }
        };
        Outcome { output: output.into_bytes(), status }
    }
}

const NOTHING: &str = "nothing to change: the configuration is as the policy file wants it\n";

/// What was done, in a line.
fn closing(done: Option<&Done>, changed: bool) -> String {
    let Some(done) = done else {
        return if changed {
            "\nonly checked: nothing was changed\n".to_owned()
        } else {
            NOTHING.to_owned()
        };
    };
    let what = if changed { "applied" } else { NOTHING.trim_end() };
    format!("{what}{}\n", plan::told(&done.postfix))
}
