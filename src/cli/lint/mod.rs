//! `postls lint`

mod baseline;
mod fix;
mod inputs;
mod root;
mod selection;
mod staged;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use super::load::{self, Loaded, POLICY_FILE, Request, TheHost};
use super::progress::Progress;
use super::{Common, FAILED, FOUND, OK, Outcome, Stop, complain, interruption, load_host};
use crate::finding::{Finding, NotChecked, Severity};
use crate::host::{Host, Rooted, System};
use crate::lint::{self, Counted, Rule};
use crate::postfix::Version;
use crate::report::{FORMATS, Format, NotShown, Report};
use crate::rules;
use crate::text::{Sources, on_all_processors};
use baseline::Baseline;
use fix::Patch;
use inputs::Input;
use root::Place;

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
    /// Lint what git has staged, not what lies in the work tree (for a pre-commit hook)
    #[arg(long, conflicts_with_all = ["as_name", "write_baseline", "host"])]
    staged: bool,
    /// Run only these rules, or the rules of these topics
    #[arg(long, value_name = "RULE,...", value_delimiter = ',')]
    select: Vec<String>,
    /// Do not run these rules, or the rules of these topics
    #[arg(long, value_name = "RULE,...", value_delimiter = ',')]
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
    /// Look at the host too, as if its Postfix ran with the directory; so it is in /etc without this
    #[arg(long)]
    host: bool,
    /// Look at the system below DIR, such as an image: all names are names there
    #[arg(long, value_name = "DIR", conflicts_with_all = ["staged", "fix", "baseline", "write_baseline"])]
    root: Option<PathBuf>,
    /// The form of the output
    #[arg(long, value_name = "FORMAT", default_value = "human", value_parser = formats())]
    format: &'static Format,
    #[command(flatten)]
    fixes: fix::Fixes,
}

/// The formats by their names.
fn formats() -> impl TypedValueParser<Value = &'static Format> {
    let names = FORMATS.iter().map(|it| PossibleValue::new(it.name).help(it.about));
    PossibleValuesParser::new(names)
        .map(|name| FORMATS.iter().find(|it| it.name == name).unwrap_or(&FORMATS[0]))
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Advice,
    Never,
}

impl Lint {
    pub(super) fn run(&self, common: &Common) -> Result<Outcome, Stop> {
        let staged = self.staged.then(staged::open).transpose()?;
        let rooted = self.root.as_deref().map(below).transpose()?;
        let host: &(dyn Host + Sync) = match (&staged, &rooted) {
            (Some(host), _) => host,
            (None, Some(host)) => host,
            (None, None) => &System,
        };
        let rules = selection::of(&self.select, &self.ignore)?;
        // Read before anything else: it may be unreadable.
        let baseline = match (&self.baseline, &self.write_baseline) {
            (Some(path), None) => Some(Baseline::read(host, path)?),
            (_, Some(_)) | (None, None) => None,
        };
        let mut inputs = match &staged {
            Some(host) => staged::inputs(self, host, common)?,
            None => inputs::of(self, host, common)?,
        };
        if inputs.is_empty() {
            return Ok(Outcome { output: Vec::new(), status: OK });
        }
        for input in inputs.iter_mut().flatten() {
            input.request.host = self.of_host();
        }
        let progress = Progress::new(inputs.len(), common.quiet);
        let each = |input: &Result<Input<'_>, Stop>| {
            let result = match input {
                Ok(input) => self.one(host, input, &rules, baseline.as_ref()),
                Err(Stop(why)) => Err(Failed::from(Stop(why.clone()))),
            };
            progress.step();
            result
        };
        let results = match self.fixes.wanted() {
            None => on_all_processors(&inputs, each),
            // One after the other: directories may share a file.
            Some(_) => inputs.iter().map(each).collect(),
        };
        drop(progress);
        let (mut linted, mut patches, mut failed) = (Vec::new(), Vec::new(), OK);
        for result in results {
            match result {
                Ok(it) => {
                    it.said.iter().for_each(|line| complain(line));
                    patches.extend(it.patch);
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
        if !patches.is_empty() {
            let status = if patches.iter().any(|it| it.changes) { FOUND } else { OK };
            let output = patches.into_iter().flat_map(|it| it.text).collect();
            return Ok(Outcome { output, status: status.max(failed) });
        }
        if let Some(path) = &self.write_baseline {
            if failed != OK {
                return Ok(Outcome { output: Vec::new(), status: FAILED });
            }
            return self.write_baseline(host, path.as_deref(), &linted);
        }
        let mut not_shown = set_aside(&mut linted, baseline.as_ref());
        let all_rules = self.select.is_empty() && self.ignore.is_empty();
        if !all_rules || inputs.iter().flatten().any(|it| !it.files.is_empty()) {
            // Who looks at a part does not know what the rest still has.
            not_shown.gone_from_baseline = 0;
        }
        let (output, fails) = self.report(&linted, not_shown, &rules, common);
        let status = if fails { FOUND } else { OK };
        Ok(Outcome { output: output.into_bytes(), status: status.max(failed) })
    }

    /// Lints a directory, and fixes it where that is asked for.
    fn one(
        &self,
        host: &dyn Host,
        input: &Input<'_>,
        rules: &[&'static Rule],
        baseline: Option<&Baseline>,
    ) -> Result<One, Failed> {
        let look = |request: &Request<'_>| look(host, request, &input.files, rules);
        let Some(wanted) = self.fixes.wanted() else {
            let linted = look(&input.request)?.into();
            return Ok(One { linted, patch: None, said: Vec::new() });
        };
        let fix::Done { seen, patch, said } = fix::fix(host, input, wanted, baseline, &look)?;
        Ok(One { linted: seen.into(), patch, said })
    }

    /// Whose the directories are.
    fn of_host(&self) -> TheHost {
        if self.host { TheHost::Its } else { TheHost::ByPlace }
    }

    /// What is printed of all directories, and whether something in it is to fail the run.
    fn report(
        &self,
        linted: &[Linted],
        not_shown: NotShown,
        rules: &[&'static Rule],
        common: &Common,
    ) -> (String, bool) {
        let (version, why) = judged_for(linted);
        let report = Report {
            findings: findings(linted).collect(),
            not_shown,
            not_checked: &not_checked(linted),
            postfix: version,
            postfix_why: why,
            rules: with_topics(rules),
            root: root::of(&System, linted.iter().map(|it| &it.place)),
        };
        let output = (self.format.lint)(&report, common.style());
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

/// The system below a directory.
fn below(root: &Path) -> Result<Rooted, Stop> {
    Rooted::new(root).map_err(|error| Stop(format!("--root {}: {error}", root.display())))
}

/// What was found in a directory.
struct Linted {
    sources: Sources,
    findings: Vec<Finding>,
    allowed: usize,
    not_checked: Vec<NotChecked>,
    version: Version,
    version_why: &'static str,
    place: Place,
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

/// What was read, and what was found in it that counts.
struct Seen {
    loaded: Loaded,
    findings: Vec<Finding>,
    allowed: usize,
    place: Place,
}

impl From<Seen> for Linted {
    fn from(Seen { loaded, findings, allowed, place }: Seen) -> Linted {
        let Loaded { sources, not_checked, build, version_why, .. } = loaded;
        // Of thousands of directories, only those with findings are kept in memory.
        let sources = if findings.is_empty() { Sources::default() } else { sources };
        let version = build.version;
        Linted { sources, findings, allowed, not_checked, version, version_why, place }
    }
}

/// Looks at a directory, or at the files in it that were asked for.
fn look(
    host: &dyn Host,
    request: &Request<'_>,
    files: &[String],
    rules: &[&'static Rule],
) -> Result<Seen, Stop> {
    interruption::mention(host, &request.directory);
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
    let unseen = load_host::look(host, request, &mut context, &about_the_host(rules));
    let Counted { mut findings, allowed } = lint::counted(rules.iter().copied(), &context);
    loaded.not_checked.extend(unseen);
    if !files.is_empty() {
        findings.retain(|it| inputs::concerns(&loaded, it, files));
    }
    let place = Place::of(request, &loaded);
    Ok(Seen { loaded, findings, allowed, place })
}

/// Those of the rules that ask what is so on the host, or what files hold.
fn about_the_host(rules: &[&'static Rule]) -> Vec<&'static Rule> {
    let all = ["host", "certificate"].into_iter().flat_map(rules::of_topic).copied();
    all.filter(|it| rules.iter().any(|one| one.id == it.id)).collect()
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

/// The rules that ran, each with its topic.
fn with_topics(ran: &[&'static Rule]) -> Vec<(&'static str, &'static Rule)> {
    let ids: HashSet<&str> = ran.iter().map(|it| it.id).collect();
    let all = rules::topics().flat_map(|(topic, all)| all.iter().map(move |it| (topic, *it)));
    all.filter(|(_, rule)| ids.contains(rule.id)).collect()
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
