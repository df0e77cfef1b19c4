//! `postls compile`

use std::path::PathBuf;

use clap::Args;

use super::{Common, OK, Outcome, Stop, load, planning};
use crate::host::{Host, System};
use crate::policy::compile;

#[derive(Args)]
pub(super) struct Compile {
    /// The policy file; default: postls.yaml in the configuration directory
    #[arg(value_name = "POLICY")]
    policy: Option<PathBuf>,
    /// Write the table into this directory instead of standard output
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

impl Compile {
    pub(super) fn run(&self, common: &Common) -> Result<Outcome, Stop> {
        let host = System;
        let (loaded, _) = planning::load(&host, common, self.policy.as_deref())?;
        let Some(policy) = &loaded.policy else {
            return Err(Stop("there is no policy file".to_owned()));
        };
        let client = loaded.bare_context().client(policy.policies.table.client());
        let rows = compile::rows(&policy.policies, client.client.known_digest());
        let text = compile::table(&rows, &policy.short_name);
        let Some(directory) = &self.output else {
            return Ok(Outcome { output: text.into_bytes(), status: OK });
        };
        let path = directory.join(&policy.policies.table.path);
        if host.exists(&path) && !load::read(&host, &path)?.starts_with(compile::MARK.as_bytes()) {
            let path = path.display();
            return Err(Stop(format!(
                "{path}: postls did not write this file, and does not overwrite it"
            )));
        }
        planning::write(&host, &path, text.as_bytes())?;
        let output =
            if common.quiet { String::new() } else { format!("wrote {}\n", path.display()) };
        Ok(Outcome { output: output.into_bytes(), status: OK })
    }
}
