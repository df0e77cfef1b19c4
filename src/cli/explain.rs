//! `postls explain RULE` and `postls rules`.

use std::fmt::Write;

use clap::Args;

use super::{OK, Outcome, Stop};
use crate::lint::explain;
use crate::rules;
use crate::text::nearest;

#[derive(Args)]
pub(super) struct Explain {
    /// The id of a rule
    rule: String,
}

impl Explain {
    pub(super) fn run(&self) -> Result<Outcome, Stop> {
        match rules::find(&self.rule) {
            Some(rule) => Ok(Outcome { output: explain::page(rule).into_bytes(), status: OK }),
            None => {
                let near = nearest(&self.rule, rules::all().map(|it| it.id));
                let near = near.map(|it| format!("; did you mean \"{it}\"?")).unwrap_or_default();
                Err(Stop(format!("there is no rule \"{}\"{near}", self.rule)))
            }
        }
    }
}

/// All rules by topic.
pub(super) fn list() -> Outcome {
    let mut output = String::new();
    for (topic, rules) in rules::topics() {
        // Writing to a String cannot fail.
        let _ = writeln!(output, "{topic}:");
        for rule in rules {
            let _ =
                writeln!(output, "  {:<30} {:<8} {}", rule.id, rule.severity.name(), rule.summary);
        }
    }
    Outcome { output: output.into_bytes(), status: OK }
}
