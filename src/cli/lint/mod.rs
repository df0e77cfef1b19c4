//! `postls lint`

mod inputs;

use std::collections::HashSet;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::load::{self, Loaded, POLICY_FILE, TheHost};
use super::{Common, FAILED, FOUND, OK, Outcome, Stop, complain, load_host};
use crate::finding::{Finding, NotChecked, Severity};
use crate::host::{Host, System};
use crate::lint;
use crate::postfix::Version;
use crate::report::{Report, human, json, short};
use crate::rules;
use crate::text::{Sources, on_all_processors};
use inputs::Input;

#[derive(Args)]
pub(super) struct Lint {
    /// Configuration directories, files of one, or "-" for standard input
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Lint the one PATH as if it stood in the configuration directory under this name
    #[arg(long = "as", value_name = "NAME")]
    as_name: Option<String>,
    /// The lowest severity that makes the exit status 1
    #[arg(long, value_name = "SEVERITY", default_value = "error")]
    fail_on: FailOn,
    /// Look at the host too, as if its Postfix ran with the directory; so it is in /etc without this
    #[arg(long)]
    host: bool,
    /// The form of the output
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Advice,
    Never,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Excerpts with marks
    Human,
    /// One line for each finding
    Short,
    /// One JSON object
    Json,
}

impl Lint {
    pub(super) fn run(&self, common: &Common) -> Result<Outcome, Stop> {
        let host = System;
        let inputs = inputs::of(self, &host, common)?;
        let results = on_all_processors(&inputs, |input| match input {
            Ok(input) => lint(&host, input),
            Err(Stop(why)) => Err(Stop(why.clone())),
        });
        let (mut linted, mut stops) = (Vec::new(), Vec::new());
        for result in results {
            match result {
                Ok(it) => linted.push(it),
                Err(Stop(why)) => stops.push(why),
            }
        }
        for why in &stops {
            complain(why);
        }
        if linted.is_empty() {
            return Ok(Outcome { output: Vec::new(), status: FAILED });
        }
        let (output, fails) = self.report(&linted, common);
        let status = match (stops.is_empty(), fails) {
            (false, _) => FAILED,
            (true, true) => FOUND,
            (true, false) => OK,
        };
        Ok(Outcome { output: output.into_bytes(), status })
    }

    /// Whose the directories are.
    fn of_host(&self) -> TheHost {
        if self.host { TheHost::Its } else { TheHost::ByPlace }
    }

    /// What is printed of all directories, and whether something in it is to fail the run.
    fn report(&self, linted: &[Linted], common: &Common) -> (String, bool) {
        let (version, why) = judged_for(linted);
        let findings =
            linted.iter().flat_map(|it| it.findings.iter().map(|one| (&it.sources, one)));
        let report = Report {
            findings: findings.collect(),
            not_checked: &not_checked(linted),
            postfix: version,
            postfix_why: why,
        };
        let output = match self.format {
            Format::Human => human::lint(&report, common.style()),
            Format::Short => short::lint(&report),
            Format::Json => json::lint(&report),
        };
        let lowest = match self.fail_on {
            FailOn::Error => Some(Severity::Error),
            FailOn::Warning => Some(Severity::Warning),
            FailOn::Advice => Some(Severity::Advice),
            FailOn::Never => None,
        };
        let mut severities = report.findings.iter().map(|(_, it)| it.severity);
        (output, lowest.is_some_and(|lowest| severities.any(|it| it >= lowest)))
    }
}

/// What was found in a directory.
struct Linted {
    sources: Sources,
    findings: Vec<Finding>,
    not_checked: Vec<NotChecked>,
    version: Version,
    version_why: &'static str,
}

/// Lints a directory, or the files in it that were asked for.
fn lint(host: &dyn Host, input: &Input) -> Result<Linted, Stop> {
    let Input { request, files } = input;
    let mut loaded = load::load(host, request)?;
    if loaded.main_cf.is_none() && loaded.policy.is_none() && files.is_empty() {
        let several = !request.shown_in.as_os_str().is_empty();
        let directory = if several { &request.shown_in } else { &request.directory }.display();
        return Err(Stop(format!(
            "{directory}: there is no main.cf and no {POLICY_FILE}; name a directory with -c"
        )));
    }
    for file in files {
        inputs::add_unlisted(host, request, &mut loaded, file)?;
    }
    let mut context = loaded.context();
    let host_rules = rules::topics().find(|(topic, _)| *topic == "host").map(|it| it.1);
    let unseen = load_host::look(host, request, &mut context, host_rules.unwrap_or_default());
    let mut findings = lint::run_all(rules::all(), &context);
    loaded.not_checked.extend(unseen);
    if !files.is_empty() {
        findings.retain(|it| inputs::concerns(&loaded, it, files));
    }
    let Loaded { sources, not_checked, build, version_why, .. } = loaded;
    // Of thousands of directories, only those with findings are kept in memory.
    let sources = if findings.is_empty() { Sources::default() } else { sources };
    let version = build.version;
    Ok(Linted { sources, findings, not_checked, version, version_why })
}

/// The Postfix that all of it is good for, and why that one.
fn judged_for(linted: &[Linted]) -> (Version, &'static str) {
    let oldest = linted.iter().min_by_key(|it| it.version);
    let (version, why) = oldest.map_or((Version::NEWEST, ""), |it| (it.version, it.version_why));
    let same = linted.iter().all(|it| it.version == version);
    (version, if same { why } else { "the oldest of several" })
}

/// What was not looked at; what is so for several directories, once.
fn not_checked(linted: &[Linted]) -> Vec<NotChecked> {
    let mut said = HashSet::new();
    let all = linted.iter().flat_map(|it| &it.not_checked);
    all.filter(|it| said.insert((&it.what, &it.why))).cloned().collect()
}
