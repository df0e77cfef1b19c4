//! `postls lint`

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::load::{self, Loaded, POLICY_FILE, Request};
use super::{Common, FOUND, OK, Outcome, Stop};
use crate::config::TableKind;
use crate::finding::{Finding, Severity};
use crate::host::{Host, System};
use crate::lint;
use crate::report::{Report, human, json, short};
use crate::rules;

#[derive(Args)]
pub(super) struct Lint {
    /// A configuration directory, files of one, or "-" for standard input
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
        let (request, files) = self.request(&host, common)?;
        let mut loaded = load::load(&host, &request)?;
        if loaded.main_cf.is_none() && loaded.policy.is_none() && files.is_empty() {
            let directory = request.directory.display();
            return Err(Stop(format!(
                "{directory}: there is no main.cf and no {POLICY_FILE}; name a directory with -c"
            )));
        }
        for file in &files {
            add_unlisted(&host, &request, &mut loaded, file)?;
        }
        let context = loaded.context();
        let mut findings = lint::run_all(rules::all(), &context);
        if !files.is_empty() {
            findings.retain(|it| concerns(&loaded, it, &files));
        }
        let report = Report {
            sources: &loaded.sources,
            findings: &findings,
            not_checked: &loaded.not_checked,
            postfix: loaded.version,
            postfix_why: loaded.version_why,
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
        let fails = lowest.is_some_and(|lowest| findings.iter().any(|it| it.severity >= lowest));
        Ok(Outcome { output, status: if fails { FOUND } else { OK } })
    }

    /// The directory to read, and the names in it of the files that were asked for.
    fn request(
        &self,
        host: &dyn Host,
        common: &Common,
    ) -> Result<(Request<'static>, Vec<String>), Stop> {
        let mut request = common.request(None);
        if let Some(name) = &self.as_name {
            let [path] = self.paths.as_slice() else {
                return Err(Stop("--as needs exactly one PATH".to_owned()));
            };
            let bytes =
                if path == Path::new("-") { standard_input()? } else { load::read(host, path)? };
            request.instead.insert(name.clone(), bytes);
            return Ok((request, vec![name.clone()]));
        }
        if let [directory] = self.paths.as_slice()
            && !self.names_standard_input()
            && host.resolve(directory).is_ok_and(|it| it.is_dir())
        {
            request.directory.clone_from(directory);
            return Ok((request, Vec::new()));
        }
        if self.names_standard_input() {
            return Err(Stop(
                "standard input has no name: say which file it stands for with --as NAME"
                    .to_owned(),
            ));
        }
        let mut names = Vec::new();
        for path in &self.paths {
            // Complains about what is not there, and about a directory among files.
            load::read(host, path)?;
            let parent =
                path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
            if names.is_empty() && common.config_dir.is_none() {
                parent.clone_into(&mut request.directory);
            }
            let name = load::name_in(&request.directory, path);
            let same = |a: &Path, b: &Path| {
                host.resolve(a).ok().is_some_and(|it| host.resolve(b).ok() == Some(it))
            };
            names.push(if same(parent, &request.directory) {
                path.file_name().unwrap_or_default().to_string_lossy().into_owned()
            } else if path.starts_with(&request.directory) {
                name
            } else {
                return Err(Stop(format!(
                    "{}: not in {}; lint one configuration directory at a time",
                    path.display(),
                    request.directory.display()
                )));
            });
        }
        Ok((request, names))
    }

    fn names_standard_input(&self) -> bool {
        self.paths.iter().any(|it| it == Path::new("-"))
    }
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
    let yaml = path.extension().is_some_and(|it| it == "yaml" || it == "yml");
    if yaml || name == "master.cf" {
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
    // A name is all there is to go by.
    let client = name.contains("tls_policy").then_some("smtp");
    if client.is_none() {
        loaded.not_checked.push(crate::finding::NotChecked {
            what: file.to_owned(),
            why: "main.cf does not list it as a TLS policy table; only its form as a table was checked".to_owned(),
        });
    }
    loaded.tables.push((source, TableKind::Indexed, client));
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
