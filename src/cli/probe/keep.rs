//! Files that are read and written beside the report.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::cli::{Stop, load, planning, standard_input};
use crate::host::Host;
use crate::probe::sent;
use crate::report::probe::{self as report, Report, Testing};
use crate::report::{probe_html, prometheus};
use crate::verdict::suggested;

/// A file with a report.
pub(super) struct File {
    path: PathBuf,
    form: Form,
}

#[derive(Clone, Copy)]
enum Form {
    Html,
    Json,
    Prometheus,
}

/// The files that the command line names, by the form that their endings say.
pub(super) fn files(paths: &[PathBuf]) -> Result<Vec<File>, Stop> {
    let file = |path: &PathBuf| {
        let form = match path.extension().and_then(|it| it.to_str()) {
            Some("html" | "htm") => Form::Html,
            Some("json") => Form::Json,
            Some("prom") => Form::Prometheus,
            Some(_) | None => {
                let path = path.display();
                return Err(Stop(format!("{path}: --report writes .html, .json and .prom")));
            }
        };
        Ok(File { path: path.clone(), form })
    };
    paths.iter().map(file).collect()
}

/// Writes them, each whole or not at all.
pub(super) fn write(host: &dyn Host, files: &[File], report: &Report<'_>) -> Result<(), Stop> {
    for file in files {
        let text = match file.form {
            Form::Html => probe_html::html(report),
            Form::Json => report::json(report),
            Form::Prometheus => prometheus::text(report),
        };
        planning::write(host, &file.path, text.as_bytes())?;
    }
    Ok(())
}

/// The destinations that a mail log says mail was sent to.
pub(super) fn sent_to(host: &dyn Host, file: &Path) -> Result<Vec<String>, Stop> {
    let bytes = if file == Path::new("-") { standard_input()? } else { load::read(host, file)? };
    let sent =
        sent::destinations(&bytes).map_err(|why| Stop(format!("{}: {why}", file.display())))?;
    Ok(sent.into_iter().map(|it| it.destination).collect())
}

/// Entries for `destinations:` of the policy file, of those that have no policy there or in a table.
pub(super) fn suggestions(report: &Report<'_>) -> String {
    let mut text = String::new();
    let open = report
        .probed
        .iter()
        .filter(|it| it.answered.matched.is_none() && it.testing == Testing::InForce);
    for it in open {
        // Nothing is gained by a row that asks for nothing.
        let Some(could) = it.judgement.could.as_ref().filter(|it| it.policy != "may") else {
            continue;
        };
        let comment: String =
            could.text.chars().map(|it| if it.is_control() { ' ' } else { it }).collect();
        let _ = writeln!(text, "  # {comment}");
        for line in suggested(&it.answered.destination, &could.policy).lines() {
            let _ = writeln!(text, "  {line}");
        }
    }
    if text.is_empty() {
        return "# there is nothing to suggest\n".to_owned();
    }
    format!("destinations:\n{text}")
}
