//! What compile, diff and apply share: the policy file without errors, and the plan.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::image::Place;
use super::load::{self, Loaded, POLICY_FILE, Request, Whose};
use super::{Common, Stop};
use crate::apply::index;
use crate::config::{Configuration, Origin, TableKind};
use crate::finding::{Finding, Severity};
use crate::host::Host;
use crate::lint;
use crate::plan::{self, Change, Live, Plan};
use crate::report::{NotShown, Report, Root, Style, human};
use crate::rules;
use crate::text::SourceId;

/// A plan, and what lint says about the configuration that it leads to.
pub(super) struct Planned {
    pub(super) plan: Plan,
    /// Errors of the result, drawn; empty: none.
    pub(super) errors: String,
}

/// Reads the directory and the policy file, which must be there and have no errors.
pub(super) fn load<'a>(
    host: &dyn Host,
    common: &'a Common,
    policy: Option<&'a Path>,
) -> Result<(Loaded, Request<'a>), Stop> {
    load_request(host, common, Request { policy, ..common.request(host, &common.directory()) })
}

/// The same for a machine or an image. The policy file that is named is one of this machine; where none
/// is, it is the one in the configuration directory.
pub(super) fn load_in<'a>(
    place: &Place,
    common: &'a Common,
    policy: Option<&'a Path>,
) -> Result<(Loaded, Request<'a>), Stop> {
    let host = place.host();
    let policy_of = if place.can_run() { Whose::Hosts } else { Whose::Machines };
    let request = common.request(host, &common.directory());
    load_request(host, common, Request { policy, policy_of, ..request })
}

fn load_request<'a>(
    host: &dyn Host,
    common: &Common,
    request: Request<'a>,
) -> Result<(Loaded, Request<'a>), Stop> {
    let loaded = load::load(host, &request)?;
    let Some(policy) = &loaded.policy else {
        let path = request.directory.join(POLICY_FILE);
        return Err(Stop(format!("{}: there is no such file; name a policy file", path.display())));
    };
    // A plan names the files that it was made from, in text.
    let is_lost = |name: &str| {
        name.contains(char::REPLACEMENT_CHARACTER) && !host.exists(&request.directory.join(name))
    };
    if let Some(input) = policy.inputs.iter().find(|it| is_lost(&it.name)) {
        return Err(Stop(format!(
            "{}: its name is no UTF-8 text; give it another name",
            input.name
        )));
    }
    let errors = draw_errors(&loaded, &policy.sources, common.style());
    if !errors.is_empty() {
        return Err(Stop(format!("the policy file has errors; nothing was changed\n\n{errors}")));
    }
    Ok((loaded, request))
}

/// Makes the plan for a directory that was loaded without errors in its policy file.
pub(super) fn plan(
    host: &dyn Host,
    loaded: &Loaded,
    request: &Request<'_>,
    style: Style,
) -> Result<Planned, Stop> {
    let context = loaded.context();
    let main_cf = request.directory.join("main.cf");
    let Some(configuration) = &context.configuration else {
        return Err(Stop(format!("{}: there is no such file", main_cf.display())));
    };
    let Some(policy) = &loaded.policy else {
        return Err(Stop("there is no policy file".to_owned()));
    };
    let table = &policy.policies.table;
    let path = request.directory.join(&table.path);
    let live_table = if host.exists(&path) { Some(load::read(host, &path)?) } else { None };
    let has_table = plan::has_table(&policy.policies, live_table.as_deref());
    let kind = match &table.kind {
        Some(kind) => kind.clone(),
        None if !has_table => String::new(),
        None => match set_kind(configuration) {
            Some(kind) => kind,
            None => default_kind(host, &request.directory)?,
        },
    };
    let index = match &live_table {
        Some(text) if has_table && TableKind::of(&kind) == TableKind::Indexed => {
            index::state(host, &request.directory, &kind, &path, text).map_err(Stop)?
        }
        Some(_) | None => None,
    };
    let plan = plan::make(
        &Live {
            configuration,
            table: live_table.as_deref(),
            written: None,
            kind: &kind,
            index,
            digest: context.client(table.client()).client.known_digest(),
            inputs: policy.inputs.clone(),
            policy_file: &policy.short_name,
            table_names: &load::names_of(host, &request.directory, &table.path),
        },
        &policy.policies,
    )
    .map_err(|why| Stop(why.to_string()))?;
    // Where nothing changes, nothing gets worse: what is wrong there is for lint to say.
    if plan.changes.is_empty() {
        return Ok(Planned { plan, errors: String::new() });
    }
    let mut errors = errors_of_result(host, request, &plan, style)?;
    if has_table && is_taken_apart(&request.directory) {
        let _ = writeln!(
            errors,
            "{}: main.cf names the table by $config_directory, and Postfix takes such a list apart at \
             blanks and commas, and expands what begins with \"$\"; use a directory without them",
            request.directory.display()
        );
    }
    Ok(Planned { plan, errors })
}

/// What main.cf sets for `type: default`, if that is a type that can be written.
fn set_kind(configuration: &Configuration<'_>) -> Option<String> {
    let (value, origin) = configuration.value("default_database_type");
    let kind = String::from_utf8(value.ok()?).ok()?;
    match (origin, TableKind::of(&kind)) {
        (Origin::Set(_), TableKind::Indexed | TableKind::Texthash) => Some(kind),
        (Origin::Set(_), TableKind::Other) | (Origin::Default, _) => None,
    }
}

/// Whether a directory's name is not one name in a list of tables, postconf(5).
fn is_taken_apart(directory: &Path) -> bool {
    let bytes = directory.as_os_str().as_bytes();
    bytes.iter().any(|it| it.is_ascii_whitespace() || matches!(it, b',' | b'$'))
}

/// What Postfix takes where a policy file says `type: default`.
fn default_kind(host: &dyn Host, directory: &Path) -> Result<String, Stop> {
    let help = "name a table type in the policy file: texthash needs no postmap";
    let arguments = [
        OsStr::new("-c"),
        directory.as_os_str(),
        OsStr::new("-hx"),
        OsStr::new("default_database_type"),
    ];
    match host.run("postconf", &arguments, b"") {
        Ok(ran) if ran.success => {
            let kind = String::from_utf8_lossy(&ran.stdout).trim().to_owned();
            match TableKind::of(&kind) {
                TableKind::Indexed | TableKind::Texthash => Ok(kind),
                TableKind::Other => {
                    Err(Stop(format!("default_database_type is \"{kind}\"; {help}")))
                }
            }
        }
        Ok(ran) => Err(Stop(format!("postconf: {}; {help}", ran.stderr))),
        Err(_) => Err(Stop(format!(
            "the default table type is Postfix's, and there is no postconf to ask; {help}"
        ))),
    }
}

/// Lints the directory as it would be.
pub(super) fn errors_of_result(
    host: &dyn Host,
    request: &Request<'_>,
    plan: &Plan,
    style: Style,
) -> Result<String, Stop> {
    let mut instead = BTreeMap::new();
    for change in &plan.changes {
        if let Change::Write { name, new, .. } = change {
            instead.insert(name.clone(), new.clone());
        }
    }
    let loaded = load::load(host, &request.with(instead))?;
    let all: Vec<SourceId> = loaded.sources.iter().map(|(id, _)| id).collect();
    Ok(draw_errors(&loaded, &all, style))
}

/// The errors whose primary place is in one of `files`, drawn for people.
pub(super) fn draw_errors(loaded: &Loaded, files: &[SourceId], style: Style) -> String {
    let context = loaded.context();
    let findings = lint::counted(rules::all(), &context).findings;
    let is_error =
        |it: &Finding| it.severity == Severity::Error && files.contains(&it.primary.span.source);
    let errors: Vec<Finding> = findings.into_iter().filter(is_error).collect();
    if errors.is_empty() {
        return String::new();
    }
    let report = Report {
        findings: errors.iter().map(|it| (&loaded.sources, it)).collect(),
        not_shown: NotShown::default(),
        not_checked: &[],
        postfix: loaded.build.version,
        postfix_why: loaded.version_why,
        rules: Vec::new(),
        root: Root::default(),
    };
    human::lint(&report, Style { color: false, links: false, ..style })
}

/// Replaces one file outside of any plan, whole or not at all.
pub(super) fn write(host: &dyn Host, path: &Path, bytes: &[u8]) -> Result<(), Stop> {
    let error = |error: std::io::Error| Stop(format!("{}: {error}", path.display()));
    let staged = host.stage(path, bytes).map_err(error)?;
    host.rename(&staged, path).map_err(|why| {
        let _ = host.remove(&staged);
        error(why)
    })
}
