//! What postls says of the rows.

use std::fs;

use postls::policy::effective::EffectivePolicy;
use postls::syntax::table::{Kind, Row};

use super::Trial;
use crate::fixture::Fixture;
use crate::judges::Judge;
use crate::lab::Lab;

/// The rules that say error, for each trial: `postls lint` in the lab's directory, where the files are.
pub(super) fn errors(lab: &Lab, trials: &[Trial]) -> Vec<Vec<String>> {
    let mut command = lab.outside(env!("CARGO_BIN_EXE_postls"));
    let output =
        command.args(["lint", "--format", "json"]).arg("-c").arg(lab.config_dir()).output();
    let output = output.expect("the program was built").stdout;
    let report: serde_json::Value = serde_json::from_slice(&output).expect("lint prints JSON");
    let mut errors: Vec<Vec<String>> = vec![Vec::new(); trials.len()];
    let mut row_of_line = vec![0];
    for (row, trial) in trials.iter().enumerate() {
        row_of_line.extend(trial.row.iter().filter(|it| **it == b'\n').map(|_| row));
    }
    let findings = report["findings"].as_array().expect("a list");
    for finding in findings.iter().filter(|it| it["severity"] == "error") {
        let rule = finding["rule"].as_str().expect("a name");
        // Some rows want DANE where main.cf does not, and all stand once more for a server without TLS.
        if rule.starts_with("dane-with") || finding["file"] == "clear_policy" {
            continue;
        }
        assert_eq!(finding["file"], "tls_policy", "main.cf is good: {finding}");
        let line = finding["line"].as_u64().and_then(|it| usize::try_from(it).ok());
        let row = line.and_then(|it| row_of_line.get(it)).expect("a line of the table");
        errors[*row].push(rule.to_owned());
    }
    errors
}

/// What smtp(8) does with a row, and what it does where there is none.
pub(super) struct Policies {
    pub(super) with_row: EffectivePolicy,
    pub(super) without_row: EffectivePolicy,
}

/// The policies of each trial.
pub(super) fn policies(postfix: &Judge, lab: &Lab, trials: &[Trial]) -> Vec<Policies> {
    let main_cf = fs::read_to_string(lab.config_dir().join("main.cf")).expect("it is there");
    let mut fixture = Fixture::new(&main_cf);
    let table = fs::read(lab.config_dir().join("tls_policy")).expect("it is there");
    fixture.sources.add("tls_policy", table.clone());
    let context = fixture.context(postfix.version);
    let client = context.client("smtp").client;
    let rows = &context.tables.first().expect("there is a table").table.rows;
    let rows: Vec<&Row> = rows.iter().filter(|it| it.kind == Kind::Entry).collect();
    assert_eq!(rows.len(), trials.len(), "each row is one");
    let policies = |(trial, row): (&Trial, &&Row)| Policies {
        with_row: EffectivePolicy::new(&client, trial.key.as_bytes(), Some(&row.value(&table))),
        without_row: EffectivePolicy::new(&client, trial.key.as_bytes(), None),
    };
    trials.iter().zip(&rows).map(policies).collect()
}
