//! `postls apply`

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::planning::Planned;
use super::{CHANGED, Common, OK, Outcome, Stop, complain, failed, load, planning};
use crate::apply::settled::{self, Witness};
use crate::apply::{self, Done, Told};
use crate::host::{Host, System};
use crate::plan::Plan;
use crate::report::plan;
use crate::text::shortened;

#[derive(Args)]
#[allow(clippy::struct_excessive_bools, reason = "they are the flags of a command line")]
pub(super) struct Apply {
    /// The policy file; default: postls.yaml in the configuration directory
    #[arg(value_name = "POLICY")]
    policy: Option<PathBuf>,
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
enum Reload {
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

impl Apply {
    pub(super) fn run(&self, common: &Common) -> Result<Outcome, Stop> {
        let host = System;
        let directory = load::resolved(&host, &common.directory());
        let asked = self.decides(common);
        let settled = settled::holds(&host, &directory, &asked);
        if settled && common.verbose {
            complain("everything is as it was when nothing was left to do");
        }
        let witness = Witness::new(&host);
        let planned = if settled {
            Planned { plan: Plan::default(), errors: String::new(), is_final: true }
        } else {
            // What is only checked changes nothing, and leaves no notes.
            let host: &dyn Host = if self.check { &host } else { &witness };
            let (loaded, request) = planning::load(host, common, self.policy.as_deref())?;
            planning::plan(host, &loaded, &request, common.style())?
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
                 take them over into the policy file, or drop them with --adopt; nothing was changed",
                plan.base[1].name,
                shortened(&foreign.join(", "))
            )));
        }
        let done = if self.check {
            None
        } else {
            let reload = match self.reload {
                Reload::Auto => apply::Reload::Auto,
                Reload::Always => apply::Reload::Always,
                Reload::Never => apply::Reload::Never,
            };
            match apply::apply(&host, &directory, plan, reload) {
                Ok(done) => {
                    if planned.is_final && !settled {
                        settled::record(&witness, &directory, &asked, plan);
                    }
                    Some(done)
                }
                Err(failure) => {
                    complain(&failure.to_string());
                    let status = failed(&failure);
                    return Ok(Outcome { output: Vec::new(), status });
                }
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
        Ok(Outcome { output: output.into_bytes(), status })
    }
}

impl Apply {
    /// What the command line says that decides on a plan.
    fn decides(&self, common: &Common) -> String {
        format!("{:?}", (common.postfix, &self.policy))
    }
}

/// What was done, in a line.
fn closing(done: Option<&Done>, changed: bool) -> String {
    let told = match done {
        None if changed => return "\nonly checked: nothing was changed\n".to_owned(),
        None => Told::NotNeeded,
        Some(done) => done.postfix.clone(),
    };
    let what = if changed {
        "applied"
    } else {
        "nothing to change: the configuration is as the policy file wants it"
    };
    match told {
        Told::NotNeeded | Told::NotRunning => format!("{what}\n"),
        Told::Reloaded => format!("{what}, and Postfix was reloaded\n"),
        Told::NotTold(why) => format!("{what}; a running Postfix was not reloaded: {why}\n"),
    }
}
