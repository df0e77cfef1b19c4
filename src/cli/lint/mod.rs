//! `postls lint`

mod baseline;
mod inputs;
mod selection;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::load::{self, Loaded, POLICY_FILE};
use super::progress::Progress;
use super::{Common, FAILED, FOUND, OK, Outcome, Stop, complain};
use crate::finding::{Finding, NotChecked, Severity};
use crate::host::{Host, System};
use crate::lint::{self, Counted, Rule};
use crate::postfix::Version;
use crate::report::{NotShown, Report, human, json, short};
use crate::text::{Sources, on_all_processors};
use baseline::Baseline;
use inputs::Input;

#[derive(Args)]
pub(super) struct Lint {
    /// Configuration directories, files of one, or "-" for standard input
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Lint every configuration directory in and below the PATHs; without any, below this directory
    #[arg(short, long)]
    recursive: bool,
    /// Lint the one PATH as if it stood in the configuration directory under this name
    #[arg(long = "as", value_name = "NAME")]
    as_name: Option<String>,
    /// Run only these rules, or the rules of these topics
    #[arg(long, value_name = "RULE,…", value_delimiter = ',')]
    select: Vec<String>,
    /// Do not run these rules, or the rules of these topics
    #[arg(long, value_name = "RULE,…", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Leave out the findings that stand in this file
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write all findings into FILE, or into that of --baseline, for runs to come
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    #[allow(clippy::option_option, reason = "absent, without a file, with one")]
    write_baseline: Option<Option<PathBuf>>,
    /// The lowest severity that makes the exit status 1
    #[arg(long, value_name = "SEVERITY", default_value = "error")]
    fail_on: FailOn,
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
        let rules = selection::of(&self.select, &self.ignore)?;
        // Read before anything else: it may be unreadable.
        let baseline = match (&self.baseline, &self.write_baseline) {
            (Some(path), None) => Some(Baseline::read(&host, path)?),
            (_, Some(_)) | (None, None) => None,
        };
        let inputs = inputs::of(self, &host, common)?;
        let progress = Progress::new(inputs.len(), common.quiet);
        let results = on_all_processors(&inputs, |input| {
            let result = match input {
                Ok(input) => lint(&host, input, &rules),
                Err(Stop(why)) => Err(Stop(why.clone())),
            };
            progress.step();
            result
        });
        drop(progress);
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
        if let Some(path) = &self.write_baseline {
            if !stops.is_empty() {
                return Ok(Outcome { output: Vec::new(), status: FAILED });
            }
            return self.write_baseline(&host, path.as_deref(), &linted);
        }
        let mut not_shown = set_aside(&mut linted, baseline.as_ref());
        let all_rules = self.select.is_empty() && self.ignore.is_empty();
        if !all_rules || inputs.iter().flatten().any(|it| !it.files.is_empty()) {
            // Who looks at a part does not know what the rest still has.
            not_shown.gone_from_baseline = 0;
        }
        let (output, fails) = self.report(&linted, not_shown, common);
        let status = match (stops.is_empty(), fails) {
            (false, _) => FAILED,
            (true, true) => FOUND,
            (true, false) => OK,
        };
        Ok(Outcome { output: output.into_bytes(), status })
    }

    /// What is printed of all directories, and whether something in it is to fail the run.
    fn report(&self, linted: &[Linted], not_shown: NotShown, common: &Common) -> (String, bool) {
        let (version, why) = judged_for(linted);
        let report = Report {
            findings: findings(linted).collect(),
            not_shown,
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

    /// `--write-baseline`, with the file behind it or the one of `--baseline`.
    fn write_baseline(
        &self,
        host: &dyn Host,
        path: Option<&Path>,
        linted: &[Linted],
    ) -> Result<Outcome, Stop> {
        let path = match (path, &self.baseline) {
            (Some(path), None) => path,
            (None, Some(path)) => path,
            (Some(path), Some(other)) if path == other => path,
            (Some(_), Some(_)) => {
                return Err(Stop("--baseline and --write-baseline name two files".to_owned()));
            }
            (None, None) => {
                let text = "--write-baseline needs a file: --write-baseline FILE";
                return Err(Stop(text.to_owned()));
            }
        };
        let count = baseline::write(host, path, findings(linted))?;
        let s = if count == 1 { "" } else { "s" };
        let said = format!("{count} finding{s} written into {}\n", path.display());
        Ok(Outcome { output: said.into_bytes(), status: OK })
    }
}

/// What was found in a directory.
struct Linted {
    sources: Sources,
    findings: Vec<Finding>,
    allowed: usize,
    not_checked: Vec<NotChecked>,
    version: Version,
    version_why: &'static str,
}

/// Lints a directory, or the files in it that were asked for.
fn lint(host: &dyn Host, input: &Input, rules: &[&'static Rule]) -> Result<Linted, Stop> {
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
    let Counted { mut findings, allowed } = lint::counted(rules.iter().copied(), &loaded.context());
    if !files.is_empty() {
        findings.retain(|it| inputs::concerns(&loaded, it, files));
    }
    let Loaded { sources, not_checked, build, version_why, .. } = loaded;
    // Of thousands of directories, only those with findings are kept in memory.
    let sources = if findings.is_empty() { Sources::default() } else { sources };
    let version = build.version;
    Ok(Linted { sources, findings, allowed, not_checked, version, version_why })
}

/// All findings, in the order of the directories.
fn findings(linted: &[Linted]) -> impl Iterator<Item = (&Sources, &Finding)> + Clone {
    linted.iter().flat_map(|it| it.findings.iter().map(|one| (&it.sources, one)))
}

/// Takes the findings of a baseline out, and counts what is not shown.
fn set_aside(linted: &mut [Linted], baseline: Option<&Baseline>) -> NotShown {
    let mut not_shown =
        NotShown { allowed: linted.iter().map(|it| it.allowed).sum(), ..NotShown::default() };
    let Some(baseline) = baseline else { return not_shown };
    let (known, gone) = baseline.knows(findings(linted));
    not_shown.in_baseline = known.iter().filter(|it| **it).count();
    not_shown.gone_from_baseline = gone;
    let mut known = known.into_iter();
    for it in linted {
        it.findings.retain(|_| !known.next().unwrap_or(false));
    }
    not_shown
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
