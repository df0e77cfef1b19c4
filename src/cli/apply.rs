//! `postls apply`

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::image::Image;
use super::planning::{self, Planned};
use super::{CHANGED, Common, FAILED, OK, Outcome, Stop, complain, failed, load};
use crate::apply::settled::{self, Witness};
use crate::apply::{self, Done, KEEP, Options, Record};
use crate::host::Host;
use crate::plan::Plan;
use crate::report::{failure, plan};
use crate::text::shortened;

#[derive(Args)]
#[allow(clippy::struct_excessive_bools, reason = "they are the flags of a command line")]
pub(super) struct Apply {
    /// The policy file; default: postls.yaml in the configuration directory
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
    /// When a running Postfix reads its files again
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    reload: Reload,
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
        let directory = load::resolved(host, &common.directory());
        let asked = self.decides(common);
        let settled = place.can_run() && settled::holds(host, &directory, &asked);
        let witness = Witness::new(host);
        let planned = if settled {
            if common.verbose {
                complain("everything is as it was when nothing was left to do");
            }
            Planned { plan: Plan::default(), errors: String::new(), is_final: true }
        } else {
            // What is only checked changes nothing, and leaves no notes.
            let asked: &dyn Host = if self.check { host } else { &witness };
            let (loaded, request) =
                planning::load_in(&place, asked, common, self.policy.as_deref())?;
            planning::plan(asked, &loaded, &request, common.style())?
        };
        let plan = &planned.plan;
        if !planned.errors.is_empty() {
            return Err(Stop(format!(
                "the result would have errors; nothing was changed\n\n{}",
                planned.errors
            )));
        }
        let foreign: Vec<&str> = plan.foreign().collect();
        if !foreign.is_empty() && !self.adopt {
            return Err(Stop(format!(
                "{} has rows that postls did not write and the policy file does not have: {}; \
                 take them over into the policy file (postls import shows how), or drop them with \
                 --adopt; nothing was changed",
                plan.base[1].name,
                shortened(&foreign.join(", "))
            )));
        }
        let done = if self.check {
            None
        } else {
            let reload = match self.reload {
                _ if !place.can_run() => apply::Reload::Never,
                reload => reload.into(),
            };
            let record = Record::Generation { command: "apply", policy: None, keep: KEEP };
            let options = Options { reload, record };
            match apply::apply(host, &directory, plan, &options) {
                Ok(done) => {
                    if planned.is_final && !settled {
                        settled::record(&witness, &directory, &asked, plan);
                    }
                    Some(done)
                }
                Err(failure) => return Ok(Tried::Failed(failure.to_string(), failed(&failure))),
            }
        };
        let changed = !plan.changes.is_empty();
        let status = if changed && self.detailed_exitcode { CHANGED } else { OK };
        let output = match self.format {
            Format::Json => plan::to_json(plan, done.as_ref()),
            Format::Human => {
                let mut text = String::new();
                if changed && (self.diff || self.check) {
                    text = plan::human(plan, common.style());
                }
                if !common.quiet {
                    text.push_str(&closing(done.as_ref(), changed));
                }
                text
            }
        };
        Ok(Tried::Done(Outcome { output: output.into_bytes(), status }))
    }
}

impl Apply {
    /// What the command line says that decides on a plan.
    fn decides(&self, common: &Common) -> String {
        format!("{:?}", (common.postfix, &self.policy))
    }
}

const NOTHING: &str = "nothing to change: the configuration is as the policy file wants it\n";
/// What became of it.
enum Tried {
    Done(Outcome),
    /// Why not, and the exit status.
    Failed(String, u8),
}

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
