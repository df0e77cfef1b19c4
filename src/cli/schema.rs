//! `postls schema NAME`

use std::fmt::Write;

use clap::Args;

use super::{OK, Outcome, Stop};
use crate::report::schema::SCHEMAS;
use crate::text::{nearest, shortened};

#[derive(Args)]
pub(super) struct Schema {
    /// The name of a schema; without it, all names are listed
    name: Option<String>,
}

impl Schema {
    pub(super) fn run(&self) -> Result<Outcome, Stop> {
        let output = match &self.name {
            None => list(),
            Some(name) => match SCHEMAS.iter().find(|it| it.name == name) {
                Some(schema) => (schema.text)(),
                None => return Err(unknown(name)),
            },
        };
        Ok(Outcome { output: output.into_bytes(), status: OK })
    }
}

fn list() -> String {
    let mut text = String::new();
    for it in SCHEMAS {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:<11} {}", it.name, it.about);
    }
    text
}

fn unknown(name: &str) -> Stop {
    let help = match nearest(name, SCHEMAS.iter().map(|it| it.name)) {
        Some(name) => format!("did you mean \"{name}\"?"),
        None => {
            let names: Vec<&str> = SCHEMAS.iter().map(|it| it.name).collect();
            format!("there are {}", names.join(", "))
        }
    };
    Stop(format!("there is no schema \"{}\"; {help}", shortened(name)))
}
