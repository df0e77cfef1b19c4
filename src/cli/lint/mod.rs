//! `postls lint`

mod fix;
mod inputs;

use std::collections::HashSet;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::load::{self, Loaded, POLICY_FILE, Request};
use super::{Common, FAILED, FOUND, OK, Outcome, Stop, complain};
use crate::finding::{Finding, NotChecked, Severity};
use crate::host::{Host, System};
use crate::lint::{self, fix::Errors};
use crate::postfix::Version;
use crate::report::{Report, human, json, short};
use crate::rules;
use crate::text::{Sources, on_all_processors};
use fix::Patch;
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
    /// The form of the output
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    #[command(flatten)]
    fixes: fix::Fixes,
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
        let each = |input: &Result<Input<'_>, Stop>| match input {
            Ok(input) => self.one(&host, input),
            Err(Stop(why)) => Err(Failed::from(Stop(why.clone()))),
        };
        let results = match self.fixes.wanted() {
            None => on_all_processors(&inputs, each),
            // One after the other: directories may share a file.
            Some(_) => inputs.iter().map(each).collect(),
        };
        let (mut linted, mut patch, mut failed) = (Vec::new(), Vec::new(), OK);
        for result in results {
            match result {
                Ok(it) => {
                    it.said.iter().for_each(|line| complain(line));
                    patch.push(it.patch);
                    linted.push(it.linted);
                }
                Err(Failed { why, status }) => {
                    complain(&why);
                    failed = failed.max(status);
                }
            }
        }
        if linted.is_empty() {
            return Ok(Outcome { output: Vec::new(), status: failed });
        }
        let (output, fails) = match patch.into_iter().collect::<Option<Vec<Patch>>>() {
            Some(all) => {
                let fails = all.iter().any(|it| it.changes);
                (all.into_iter().flat_map(|it| it.text).collect(), fails)
            }
            None => {
                let (output, fails) = self.report(&linted, common);
                (output.into_bytes(), fails)
            }
        };
        let status = if fails { FOUND } else { OK };
        Ok(Outcome { output, status: status.max(failed) })
    }

    /// Lints a directory, and fixes it where that is asked for.
    fn one(&self, host: &dyn Host, input: &Input<'_>) -> Result<One, Failed> {
        let look = |request: &Request<'_>| look(host, request, &input.files);
        Ok(match self.fixes.wanted() {
            None => One { linted: look(&input.request)?.into(), patch: None, said: Vec::new() },
            Some(wanted) => {
                let fix::Done { seen, patch, said } = fix::fix(host, input, wanted, &look)?;
                One { linted: seen.into(), patch, said }
            }
        })
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

/// What became of a directory.
struct One {
    linted: Linted,
    patch: Option<Patch>,
    /// What to say about it on standard error.
    said: Vec<String>,
}

/// Why a directory was not linted or not fixed, and the exit status that says so.
struct Failed {
    why: String,
    status: u8,
}

impl From<Stop> for Failed {
    fn from(Stop(why): Stop) -> Failed {
        Failed { why, status: FAILED }
    }
}

/// What was read, and what was found in it.
struct Seen {
    loaded: Loaded,
    /// The findings that count.
    findings: Vec<Finding>,
    /// All errors, whether they count or not.
    errors: Errors,
}

impl From<Seen> for Linted {
    fn from(seen: Seen) -> Linted {
        let Seen { loaded, findings, .. } = seen;
        let Loaded { sources, not_checked, build, version_why, .. } = loaded;
        // Of thousands of directories, only those with findings are kept in memory.
        let sources = if findings.is_empty() { Sources::default() } else { sources };
        let version = build.version;
        Linted { sources, findings, not_checked, version, version_why }
    }
}

/// Looks at a directory, or at the files in it that were asked for.
fn look(host: &dyn Host, request: &Request<'_>, files: &[String]) -> Result<Seen, Stop> {
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
    let mut findings = lint::run_all(rules::all(), &loaded.context());
    let errors = Errors::of(&findings);
    if !files.is_empty() {
        findings.retain(|it| inputs::concerns(&loaded, it, files));
    }
    Ok(Seen { loaded, findings, errors })
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
