//! `postls lint`

use std::collections::HashSet;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use clap::{Args, ValueEnum};

use super::load::{self, Loaded, POLICY_FILE, Request, parent};
use super::{Common, FAILED, FOUND, OK, Outcome, Stop, complain};
use crate::config::TableKind;
use crate::finding::{Finding, NotChecked, Severity};
use crate::host::{Host, System};
use crate::lint;
use crate::postfix::Version;
use crate::report::{Report, human, json, short};
use crate::rules;
use crate::text::Sources;

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
        let results = if self.names_directories(&host) {
            crate::text::on_all_processors(&self.paths, |path| {
                if !host.is_directory(path) {
                    let path = path.display();
                    return Err(Stop(format!(
                        "{path}: is no directory; name directories, or files of a single one"
                    )));
                }
                let request = Request { shown_in: path, ..common.request(&host, path) };
                lint(&host, &request, &[])
            })
        } else {
            let (request, files) = self.request(&host, common)?;
            vec![lint(&host, &request, &files)]
        };
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

    /// Whether the arguments are to be several directories: each is linted by itself.
    fn names_directories(&self, host: &dyn Host) -> bool {
        self.paths.len() > 1
            && self.as_name.is_none()
            && self.paths.iter().any(|it| host.is_directory(it))
    }

    /// The directory to read, and the names in it of the files that were asked for.
    fn request<'a>(&'a self, host: &dyn Host, common: &'a Common) -> Result<Asked<'a>, Stop> {
        let mut request = common.request(host, &common.directory());
        if let Some(name) = &self.as_name {
            let [path] = self.paths.as_slice() else {
                return Err(Stop("--as needs exactly one PATH".to_owned()));
            };
            // Some validators hand over the name of the input.
            let from_input = [Path::new("-"), Path::new("/dev/stdin")].contains(&path.as_path());
            let bytes = if from_input { standard_input()? } else { load::read(host, path)? };
            let name = plain_name(&request.directory, name)?;
            request.instead.insert(name.clone(), bytes);
            return Ok((request, vec![name]));
        }
        if self.paths.iter().any(|it| it == Path::new("-")) {
            let text = "standard input has no name: say which file it stands for with --as NAME";
            return Err(Stop(text.to_owned()));
        }
        match self.paths.as_slice() {
            [path] if host.is_directory(path) => {
                request.directory = load::resolved(host, path);
                Ok((request, Vec::new()))
            }
            [path] if is_yaml(path) => {
                load::read(host, path)?;
                if common.config_dir.is_none() {
                    request.directory = load::resolved(host, parent(path));
                }
                request.policy = Some(path);
                let name = name_of(host, &request.directory, path)
                    .unwrap_or_else(|_| path.to_string_lossy().into_owned());
                Ok((request, vec![name]))
            }
            paths => {
                if let (Some(first), None) = (paths.first(), &common.config_dir) {
                    request.directory = load::resolved(host, parent(first));
                }
                let names = paths.iter().map(|path| name_of(host, &request.directory, path));
                let names = names.collect::<Result<Vec<String>, Stop>>()?;
                Ok((request, names))
            }
        }
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

/// Lints a directory, or the `files` in it that were asked for.
fn lint(host: &dyn Host, request: &Request<'_>, files: &[String]) -> Result<Linted, Stop> {
    let mut loaded = load::load(host, request)?;
    if loaded.main_cf.is_none() && loaded.policy.is_none() && files.is_empty() {
        let several = !request.shown_in.as_os_str().is_empty();
        let directory = if several { request.shown_in } else { &request.directory }.display();
        return Err(Stop(format!(
            "{directory}: there is no main.cf and no {POLICY_FILE}; name a directory with -c"
        )));
    }
    for file in files {
        add_unlisted(host, request, &mut loaded, file)?;
    }
    let mut findings = lint::run_all(rules::all(), &loaded.context());
    if !files.is_empty() {
        findings.retain(|it| concerns(&loaded, it, files));
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

/// What to read, and the names of the files that were asked for; none: all.
type Asked<'a> = (Request<'a>, Vec<String>);

/// The name of a file that is to stand in the configuration directory: it may
/// be given as the path that it will have.
fn plain_name(directory: &Path, given: &str) -> Result<String, Stop> {
    let path = Path::new(given);
    let inside = if path.is_absolute() {
        path.strip_prefix(directory).or_else(|_| path.strip_prefix(load::DEFAULT_DIRECTORY))
    } else {
        Ok(path)
    };
    let parts: Option<Vec<&str>> = inside.ok().and_then(|it| {
        let parts = it.components().filter(|it| *it != Component::CurDir);
        parts
            .map(|it| match it {
                Component::Normal(part) => part.to_str(),
                _ => None,
            })
            .collect()
    });
    match parts {
        Some(parts) if !parts.is_empty() => Ok(parts.join("/")),
        _ => Err(Stop(format!(
            "{given}: --as takes the name of a file in the configuration directory"
        ))),
    }
}

/// The name that a file has in the configuration directory.
fn name_of(host: &dyn Host, directory: &Path, path: &Path) -> Result<String, Stop> {
    // Complains about what is not there, and about a directory among files.
    load::read(host, path)?;
    let absolute = load::resolved(host, parent(path)).join(path.file_name().unwrap_or_default());
    match absolute.strip_prefix(directory) {
        Ok(inside) => Ok(inside.to_string_lossy().into_owned()),
        Err(_) => {
            let (path, directory) = (path.display(), directory.display());
            Err(Stop(format!(
                "{path}: not in {directory}; lint one configuration directory at a time"
            )))
        }
    }
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "yaml" || it == "yml")
}

/// Takes a file in that nothing in the directory refers to: as a table.
fn add_unlisted(
    host: &dyn Host,
    request: &Request<'_>,
    loaded: &mut Loaded,
    file: &str,
) -> Result<(), Stop> {
    if loaded.source(file).is_some() {
        return Ok(());
    }
    let path = request.directory.join(file);
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if is_yaml(&path) {
        return Err(Stop(format!(
            "{}: nothing in {} reads this file",
            path.display(),
            request.directory.display()
        )));
    }
    let bytes = match request.instead.get(file) {
        Some(bytes) => bytes.clone(),
        None => load::read(host, &path)?,
    };
    let source = loaded.sources.add(file, bytes);
    if name.contains("passw") {
        loaded.sources.keep_secret(source);
    }
    // A name is all there is to go by.
    let client = name.contains("tls_policy").then(|| loaded.context().client("smtp"));
    if client.is_none() {
        loaded.not_checked.push(NotChecked {
            what: file.to_owned(),
            why: "main.cf does not list it as a TLS policy table; only its form as a table was checked".to_owned(),
        });
    }
    loaded.tables.push((source, TableKind::Indexed, client.into_iter().collect()));
    Ok(())
}

/// Whether a finding is about one of the files, or about another one because of it.
fn concerns(loaded: &Loaded, finding: &Finding, files: &[String]) -> bool {
    let places = std::iter::once(&finding.primary).chain(&finding.related);
    places.map(|it| loaded.sources.of(it.span).name()).any(|name| files.iter().any(|it| it == name))
}

fn standard_input() -> Result<Vec<u8>, Stop> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(u64::from(u32::MAX) - 1).read_to_end(&mut bytes);
    read.map_err(|error| Stop(format!("standard input: {error}")))?;
    Ok(bytes)
}
