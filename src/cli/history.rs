//! `postls history`

use clap::{Args, ValueEnum};

use super::image::Image;
use super::load::resolved;
use super::{Common, OK, Outcome, Stop};
use crate::apply;
use crate::plan::Plan;
use crate::report::{history, plan};

#[derive(Args)]
pub(super) struct History {
    /// Show what this generation has changed
    #[arg(value_name = "GENERATION")]
    generation: Option<u64>,
    #[command(flatten)]
    image: Image,
    /// The form of the output
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines, the last generation first
    Human,
    /// One JSON object, the oldest generation first
    Json,
}

impl History {
    pub(super) fn run(&self, common: &Common) -> Result<Outcome, Stop> {
        let place = self.image.place()?;
        let host = place.host();
        let directory = resolved(host, &common.directory());
        let mut generations = apply::history(host, &directory).map_err(Stop)?;
        if let Some(number) = self.generation {
            generations.retain(|it| it.number == number);
            if generations.is_empty() {
                return Err(Stop(format!(
                    "there is no generation {number}; `postls history` lists them"
                )));
            }
        }
        let output = match self.format {
            Format::Json => history::to_json(&generations),
            Format::Human if generations.is_empty() && common.quiet => String::new(),
            Format::Human if generations.is_empty() => {
                format!("postls has changed nothing in {} yet\n", directory.display())
            }
            Format::Human => {
                let mut text = history::human(&generations);
                if let (Some(_), [generation]) = (self.generation, generations.as_slice()) {
                    let changes = apply::changes_of(host, &directory, generation).map_err(Stop)?;
                    let patch = plan::patch(&Plan { changes, ..Plan::default() });
                    text.push('\n');
                    text.push_str(&plan::printable_lines(&String::from_utf8_lossy(&patch)));
                }
                text
            }
        };
        Ok(Outcome { output: output.into_bytes(), status: OK })
    }
}
