//! What compile, diff and apply share: the policy file without errors, and the plan.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;

use super::load::{self, Loaded, POLICY_FILE, Request};
use super::{Common, Stop};
use crate::apply::index;
use crate::config::TableKind;
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
    let request = Request { policy, ..common.request(host, &common.directory()) };
    let loaded = load::load(host, &request)?;
    let Some(policy) = &loaded.policy else {
        let path = request.directory.join(POLICY_FILE);
        return Err(Stop(format!("{}: there is no such file; name a policy file", path.display())));
    };
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
    let kind = match &table.kind {
        Some(kind) => kind.clone(),
        None => default_kind(host, &request.directory)?,
    };
    let index = match &live_table {
        Some(text) if TableKind::of(&kind) == TableKind::Indexed => {
            index::state(host, &request.directory, &kind, &path, text).map_err(Stop)?
        }
        Some(_) | None => None,
    };
    let effective = context.effective();
    let plan = plan::make(
        &Live {
            scopes: effective.as_ref().map(|it| &*it.scopes).unwrap_or_default(),
            beside: &beside(loaded, table.client()),
            configuration,
            table: live_table.as_deref(),
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
    let errors = errors_of_result(host, request, &plan, style)?;
    Ok(Planned { plan, errors })
}

/// The sources of the tables of rows that a client asks, by their names in its list.
pub(super) fn beside<'l>(loaded: &'l Loaded, program: &str) -> Vec<(String, &'l [u8])> {
    let context = loaded.context();
    let Some(effective) = context.effective() else { return Vec::new() };
    let clients = lint::clients(&effective).into_iter();
    let tables = clients.filter(|it| it.client.name == program).flat_map(|it| it.tables);
    let mut found: Vec<(String, &[u8])> = Vec::new();
    for table in tables.filter(|it| it.kind != TableKind::Other) {
        let named = table.name.strip_prefix("$config_directory/").unwrap_or(&table.name);
        // In a copy of a configuration, names are those of the original.
        let names = [&loaded.directory, Path::new(load::DEFAULT_DIRECTORY)]
            .map(|it| load::name_in(it, Path::new(named)));
        let source = names.iter().find_map(|it| loaded.source(it));
        if let Some(source) = source.filter(|_| !found.iter().any(|it| it.0 == table.text)) {
            found.push((table.text, loaded.sources.source(source).bytes()));
        }
    }
    found
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
