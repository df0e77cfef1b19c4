//! `postls diff`

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::image::Image;
use super::load::resolved;
use super::{
    Common, FOUND, OK, Outcome, Stop, allowance, complain, interruption, planning, stored,
};
use crate::host::System;
use crate::report::plan;

#[derive(Args)]
pub(super) struct Diff {
    /// The policy file; default: postls.yaml in the configuration directory
    #[arg(value_name = "POLICY")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    image: Image,
    /// The form of the output
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    /// Write the whole plan into a file too, which `postls apply FILE` makes true
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// By policy, by parameter, then the text
    Human,
    /// One JSON object
    Json,
    /// The text, for patch(1)
    Patch,
}

impl Diff {
    pub(super) fn run(&self, common: &Common) -> Result<Outcome, Stop> {
        let place = self.image.place()?;
        interruption::mention(place.host(), &resolved(place.host(), &common.directory()));
        let (loaded, request) =
            planning::load_in(&place, place.host(), common, self.policy.as_deref())?;
        let planned = planning::plan_of_file(place.host(), &loaded, &request, common.style())?;
        let refused = !planned.errors.is_empty();
        if refused && self.out.is_some() {
            return Err(Stop(format!(
                "the result would have errors; no plan was written\n\n{}",
                planned.errors
            )));
        }
        if refused {
            complain(&format!(
                "apply would refuse this, for the result has errors\n\n{}",
                planned.errors
            ));
        } else if let Some(why) = allowance::wanted(&planned.plan) {
            complain(&why);
        }
        if let Some(out) = &self.out {
            // A file of this machine, also with --root.
            stored::write(&System, out, &loaded, &planned.plan)?;
        }
        let output = match self.format {
            // The exit status alone: whoever asks for another form wants to read it.
            Format::Human if common.quiet => Vec::new(),
            Format::Human => plan::human(&planned.plan, common.style()).into_bytes(),
            Format::Json => plan::to_json(&planned.plan, None).into_bytes(),
            Format::Patch => plan::patch(&planned.plan),
        };
        Ok(Outcome { output, status: if planned.plan.changes.is_empty() { OK } else { FOUND } })
    }
}
