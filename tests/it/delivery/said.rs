//! What postls says of the rows.

use super::Trial;
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

/// What `postls query` says of a destination.
pub(super) struct Policy {
    pub(super) level: Option<String>,
    pub(super) outcome: String,
}

/// The policies of each trial: `postls query` in the lab's directory.
pub(super) fn policies(lab: &Lab, trials: &[Trial]) -> Vec<Policy> {
    let mut command = lab.outside(env!("CARGO_BIN_EXE_postls"));
    command.args(["query", "--format", "json", "-c"]).arg(lab.config_dir());
    let output = command.arg("--").args(trials.iter().map(|it| &it.key)).output();
    let output = output.expect("the program was built").stdout;
    let answers: serde_json::Value = serde_json::from_slice(&output).expect("query prints JSON");
    let answers = answers["results"].as_array().expect("a list");
    assert_eq!(answers.len(), trials.len(), "each destination has an answer");
    let policy = |(trial, answer): (&Trial, &serde_json::Value)| {
        assert_eq!(answer["destination"], trial.key.as_str());
        Policy {
            level: answer["level"].as_str().map(str::to_owned),
            outcome: answer["outcome"].as_str().expect("a word").to_owned(),
        }
    };
    trials.iter().zip(answers).map(policy).collect()
}
