//! `--baseline`: the findings that were there when a team began, known again by what they say and
//! about which text, not by their lines.

use std::collections::HashSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::cli::{Stop, load, planning};
use crate::finding::Finding;
use crate::host::Host;
use crate::lint::identities;
use crate::text::Sources;

const SCHEMA: &str = "postls/baseline/v1";

/// The file. A reader of a diff sees rules and files; what counts is the identity.
#[derive(Serialize, Deserialize)]
struct File {
    schema: String,
    findings: Vec<Known>,
}

#[derive(Serialize, Deserialize)]
struct Known {
    rule: String,
    file: String,
    identity: String,
}

/// The findings of a baseline.
pub(super) struct Baseline(HashSet<String>);

impl Baseline {
    /// Reads the file.
    pub(super) fn read(host: &dyn Host, path: &Path) -> Result<Baseline, Stop> {
        let bytes = load::read(host, path)?;
        let stop = |why: String| Stop(format!("{}: {why}", path.display()));
        let file: File = serde_json::from_slice(&bytes)
            .map_err(|error| stop(format!("this is no baseline: {error}")))?;
        if file.schema != SCHEMA {
            return Err(stop(format!("this postls reads {SCHEMA}, and this is {:?}", file.schema)));
        }
        Ok(Baseline(file.findings.into_iter().map(|it| it.identity).collect()))
    }

    /// Which of these findings it has, and how many of its own are gone.
    pub(super) fn knows<'f>(
        &self,
        findings: impl Iterator<Item = (&'f Sources, &'f Finding)>,
    ) -> (Vec<bool>, usize) {
        let known: Vec<bool> = identities(findings).iter().map(|it| self.0.contains(it)).collect();
        let gone = self.0.len() - known.iter().filter(|it| **it).count();
        (known, gone)
    }
}

/// Writes a baseline of these findings; says how many there are.
pub(super) fn write<'f>(
    host: &dyn Host,
    path: &Path,
    findings: impl Iterator<Item = (&'f Sources, &'f Finding)> + Clone,
) -> Result<usize, Stop> {
    let identities = identities(findings.clone());
    let known = findings.zip(identities).map(|((sources, finding), identity)| Known {
        rule: finding.rule.to_owned(),
        file: sources.of(finding.primary.span).name().to_owned(),
        identity,
    });
    let file = File { schema: SCHEMA.to_owned(), findings: known.collect() };
    // Only maps with keys that are no text cannot be written; there are none.
    let text = serde_json::to_string_pretty(&file).unwrap_or_default() + "\n";
    planning::write(host, path, text.as_bytes())?;
    Ok(file.findings.len())
}
