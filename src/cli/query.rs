//! `postls query`: which TLS policy smtp(8) applies to a destination, and why.

use clap::{Args, ValueEnum};

use super::answering::{Question, answer};
use super::{Common, FOUND, OK, Outcome, Stop, load};
use crate::host::System;
use crate::policy::outcome;
use crate::report::query::{self as report, Answered};

#[derive(Args)]
pub(super) struct Query {
    /// Next-hop destinations as Postfix has them: a domain, [host], [host]:port
    #[arg(value_name = "DEST", required = true)]
    destinations: Vec<String>,
    /// Ask for a service of master.cf with its own settings, such as relay or smtp/unix
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// For programs: postls/query/v1
    Json,
}

impl Query {
    pub(super) fn run(&self, common: &Common) -> Result<Outcome, Stop> {
        let host = &System;
        let request = common.request(host, &common.directory());
        let bare = load::load_bare(host, &request)?;
        let asked = self.destinations.iter();
        let questions: Vec<Question<'_>> =
            asked.map(|it| Question { destination: it.clone(), as_if: None }).collect();
        let answers = answer(bare, self.service.as_deref(), &questions, |_, _| ())?;
        let waits = |it: &Answered| it.policy.outcome == outcome::Outcome::Deferred;
        let status = if answers.answered.iter().any(waits) { FOUND } else { OK };
        let shown = report::Query {
            sources: &answers.bare.loader.sources,
            service: &answers.service,
            answered: &answers.answered,
            postfix: answers.bare.build.version,
            postfix_why: answers.bare.version_why,
        };
        let output = match self.format {
            Format::Human => report::human(&shown, common.style()),
            Format::Json => report::json(&shown),
        };
        Ok(Outcome { output: output.into_bytes(), status })
    }
}
