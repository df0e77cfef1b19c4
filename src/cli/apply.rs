//! `postls apply`

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::allowance::Allowance;
use super::planning::{self, Planned};
use super::{CHANGED, Common, OK, Outcome, Stop, complain, failed, stored};
use crate::apply::{self, Done, Told};
use crate::host::{Host, System};
use crate::plan::Plan;
use crate::report::plan;
use crate::text::shortened;

#[derive(Args)]
#[allow(clippy::struct_excessive_bools, reason = "they are the flags of a command line")]
pub(super) struct Apply {
    /// The policy file, or a plan of `diff --out`; default: postls.yaml in the configuration directory
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
    #[command(flatten)]
    allowance: Allowance,
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
        let Prepared { mut plan, errors, directory, table, known } = self.prepare(&host, common)?;
        if !errors.is_empty() {
            return Err(Stop(format!(
                "the result would have errors; nothing was changed\n\n{errors}"
            )));
        }
        let foreign: Vec<&str> = plan.foreign().collect();
        if !foreign.is_empty() && !self.adopt {
            return Err(Stop(format!(
                "{table} has rows that postls did not write and the policy file does not have: {}; \
                 take them over into the policy file, or drop them with --adopt; nothing was changed",
                shortened(&foreign.join(", "))
            )));
        }
        self.allowance.check(&plan, known.as_deref())?;
        plan.note = self.allowance.note(&plan);
        let plan = &plan;
        let done = if self.check {
            None
        } else {
            let reload = match self.reload {
                Reload::Auto => apply::Reload::Auto,
                Reload::Always => apply::Reload::Always,
                Reload::Never => apply::Reload::Never,
            };
            match apply::apply(&host, &directory, plan, reload) {
                Ok(done) => Some(done),
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

/// A plan, and what has to be known before it is made true.
struct Prepared {
    plan: Plan,
    /// Errors of the result, drawn; empty: none.
    errors: String,
    directory: PathBuf,
    /// The table that it writes.
    table: String,
    /// The destinations of the policy file; `None`: it comes out of a file.
    known: Option<Vec<String>>,
}

impl Apply {
    /// The plan in a file, or that of the policy file.
    fn prepare(&self, host: &dyn Host, common: &Common) -> Result<Prepared, Stop> {
        if let Some(path) = self.policy.as_deref()
            && let Some(bytes) = stored::plan_in(host, path)
        {
            let (planned, directory, table) = stored::read(host, common, path, &bytes)?;
            let Planned { plan, errors } = planned;
            return Ok(Prepared { plan, errors, directory, table, known: None });
        }
        let (loaded, request) = planning::load(host, common, self.policy.as_deref())?;
        let Planned { plan, errors } = planning::plan(host, &loaded, &request, common.style())?;
        let policies = loaded.policy.as_ref().map(|it| &it.policies);
        let table = policies.map(|it| it.table.path.clone()).unwrap_or_default();
        let names = policies.iter().flat_map(|it| &it.destinations);
        let known = Some(names.map(|it| it.nexthop.value.to_string()).collect());
        Ok(Prepared { plan, errors, directory: loaded.directory, table, known })
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
