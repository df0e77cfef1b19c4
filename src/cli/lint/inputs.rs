//! What lint is to read: directories, files of one, standard input.

use std::path::{Component, Path, PathBuf};

use super::Lint;
use crate::cli::load::{self, Loaded, POLICY_FILE, Request, parent};
use crate::cli::{Common, Stop, standard_input};
use crate::config::TableKind;
use crate::finding::{Finding, NotChecked};
use crate::host::Host;

/// What is linted by itself.
pub(super) struct Input<'a> {
    /// The directory to read.
    pub(super) request: Request<'a>,
    /// The names in it of the files that were asked for; none: all.
    pub(super) files: Vec<String>,
}

/// What the arguments name, or why one of them cannot be looked at.
pub(super) fn of<'a>(
    lint: &'a Lint,
    host: &dyn Host,
    common: &'a Common,
) -> Result<Vec<Result<Input<'a>, Stop>>, Stop> {
    if lint.recursive {
        return recursive(lint, host, common);
    }
    let several = lint.paths.len() > 1
        && lint.as_name.is_none()
        && lint.paths.iter().any(|it| host.is_directory(it));
    if !several {
        return Ok(vec![Ok(request(lint, host, common)?)]);
    }
    Ok(lint.paths.iter().map(|path| directory(host, common, path)).collect())
}

/// A directory that is linted by itself, as one of several.
fn directory<'a>(host: &dyn Host, common: &'a Common, path: &Path) -> Result<Input<'a>, Stop> {
    if !host.is_directory(path) {
        let path = path.display();
        return Err(Stop(format!(
            "{path}: is no directory; name directories, or files of a single one"
        )));
    }
    let request = Request { shown_in: path.to_owned(), ..common.request(host, path) };
    Ok(Input { request, files: Vec::new() })
}

/// Every directory in and below those that are named, in the order of their names.
fn recursive<'a>(
    lint: &Lint,
    host: &dyn Host,
    common: &'a Common,
) -> Result<Vec<Result<Input<'a>, Stop>>, Stop> {
    if lint.as_name.is_some() {
        return Err(Stop("--as is about one file, --recursive about directories".to_owned()));
    }
    let here = || vec![common.config_dir.clone().unwrap_or_else(|| PathBuf::from("."))];
    let roots = if lint.paths.is_empty() { here() } else { lint.paths.clone() };
    let mut inputs = Vec::new();
    for root in &roots {
        let before = inputs.len();
        below(host, common, root, &mut inputs);
        if inputs.len() == before {
            inputs.push(Err(Stop(format!(
                "{}: there is no main.cf and no {POLICY_FILE} in it or below it",
                root.display()
            ))));
        }
    }
    Ok(inputs)
}

fn below<'a>(
    host: &dyn Host,
    common: &'a Common,
    path: &Path,
    inputs: &mut Vec<Result<Input<'a>, Stop>>,
) {
    if ["main.cf", POLICY_FILE].iter().any(|it| host.exists(&path.join(it))) {
        let input = directory(host, common, path).map(|mut it| {
            // "./" says nothing.
            path.strip_prefix(".").unwrap_or(path).clone_into(&mut it.request.shown_in);
            it
        });
        inputs.push(input);
    }
    match host.directories(path) {
        Ok(directories) => {
            let is_git = |it: &Path| it.file_name().is_some_and(|it| it == ".git");
            for directory in directories.iter().filter(|it| !is_git(it)) {
                below(host, common, directory, inputs);
            }
        }
        Err(error) => inputs.push(Err(Stop(format!("{}: {error}", path.display())))),
    }
}

/// The directory to read, and the names in it of the files that were asked for.
fn request<'a>(lint: &'a Lint, host: &dyn Host, common: &'a Common) -> Result<Input<'a>, Stop> {
    let mut request = common.request(host, &common.directory());
    if let Some(name) = &lint.as_name {
        let [path] = lint.paths.as_slice() else {
            return Err(Stop("--as needs exactly one PATH".to_owned()));
        };
        // Some validators hand over the name of the input.
        let from_input = [Path::new("-"), Path::new("/dev/stdin")].contains(&path.as_path());
        let bytes = if from_input { standard_input()? } else { load::read(host, path)? };
        let name = plain_name(&request.directory, name)?;
        request.instead.insert(name.clone(), bytes);
        return Ok(Input { request, files: vec![name] });
    }
    if lint.paths.iter().any(|it| it == Path::new("-")) {
        let text = "standard input has no name: say which file it stands for with --as NAME";
        return Err(Stop(text.to_owned()));
    }
    match lint.paths.as_slice() {
        [path] if host.is_directory(path) => {
            request.directory = load::resolved(host, path);
            Ok(Input { request, files: Vec::new() })
        }
        [path] if is_yaml(path) => {
            load::read(host, path)?;
            if common.config_dir.is_none() {
                request.directory = load::resolved(host, parent(path));
            }
            request.policy = Some(path);
            let name = name_of(host, &request.directory, path)
                .unwrap_or_else(|_| path.to_string_lossy().into_owned());
            Ok(Input { request, files: vec![name] })
        }
        paths => {
            if let (Some(first), None) = (paths.first(), &common.config_dir) {
                request.directory = load::resolved(host, parent(first));
            }
            let names = paths.iter().map(|path| name_of(host, &request.directory, path));
            let names = names.collect::<Result<Vec<String>, Stop>>()?;
            Ok(Input { request, files: names })
        }
    }
}

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
pub(super) fn add_unlisted(
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
    if let Some(why) = no_rows(loaded, &path, &name) {
        loaded.not_checked.push(NotChecked { what: file.to_owned(), why: why.to_owned() });
        return Ok(());
    }
    let source = loaded.sources.add(file, bytes);
    if name.contains("passw") {
        loaded.sources.keep_secret(source);
    }
    // A name is all there is to go by.
    let client = name.contains("tls_policy").then(|| loaded.context().client("smtp"));
    if client.is_none() {
        loaded.not_checked.push(NotChecked {
            what: file.to_owned(),
            why: "main.cf and master.cf name no such table; only its form as a table was checked"
                .to_owned(),
        });
    }
    loaded.tables.push((source, TableKind::Indexed, client.into_iter().collect()));
    Ok(())
}

/// Why a file that nothing in the directory reads as a table of rows is not taken for one.
fn no_rows(loaded: &Loaded, path: &Path, name: &str) -> Option<&'static str> {
    let is_listed = |it: &String| Path::new(it).file_name() == path.file_name();
    let has_ending = |ending| Path::new(name).extension().is_some_and(|it| it == ending);
    if name == "aliases" || loaded.others.aliases.iter().any(is_listed) {
        Some("postls does not read alias files yet")
    } else if ["regexp", "pcre", "cidr"].into_iter().any(has_ending) || name.ends_with("_checks") {
        Some(
            "it is no table of keys and values by its name, and main.cf and master.cf do not name it",
        )
    } else {
        None
    }
}

/// Whether a finding is about one of the files, or about another one because of it.
pub(super) fn concerns(loaded: &Loaded, finding: &Finding, files: &[String]) -> bool {
    let places = std::iter::once(&finding.primary).chain(&finding.related);
    places.map(|it| loaded.sources.of(it.span).name()).any(|name| files.iter().any(|it| it == name))
}
