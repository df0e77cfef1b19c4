//! What compile, diff and apply share: the policy file without errors, and the plan.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;

use super::load::{self, Loaded, POLICY_FILE, Request};
use super::load_again::load_again;
use super::{Common, Stop};
use crate::apply::index;
use crate::config::TableKind;
use crate::finding::{Finding, Severity};
use crate::host::Host;
use crate::lint;
use crate::plan::{self, Change, Live, Plan};
use crate::policy::Policies;
use crate::report::{NotShown, Report, Root, Style, human};
use crate::rules;
use crate::text::SourceId;

/// A plan, and what lint says about the configuration that it leads to.
pub(super) struct Planned {
    pub(super) plan: Plan,
    /// Errors of the result, drawn; empty: none.
    pub(super) errors: String,
    /// Whether it is certain that nothing is left to do when the plan is made true.
    pub(super) is_final: bool,
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
    let context = loaded.bare_context();
    let main_cf = request.directory.join("main.cf");
    let Some(configuration) = &context.configuration else {
        return Err(Stop(format!("{}: there is no such file", main_cf.display())));
    };
    let Some(policy) = &loaded.policy else {
        return Err(Stop("there is no policy file".to_owned()));
    };
    let table = &policy.policies.table;
    let path = request.directory.join(&table.path);
    let read;
    let live_table = match loaded.source(&table.path) {
        Some(source) if request.shown_in.as_os_str().is_empty() => {
            Some(loaded.sources.source(source).bytes())
        }
        Some(_) | None if host.exists(&path) => {
            read = load::read(host, &path)?;
            Some(read.as_slice())
        }
        Some(_) | None => None,
    };
    let kind = match &table.kind {
        Some(kind) => kind.clone(),
        None => default_kind(host, &request.directory)?,
    };
    let mut live = Live {
        configuration,
        table: live_table,
        kind: &kind,
        index: None,
        digest: context.client(table.client()).client.known_digest(),
        inputs: policy.inputs.clone(),
        policy_file: &policy.short_name,
        table_names: &load::names_of(host, &request.directory, &table.path),
    };
    let make =
        |live: &Live<'_>| plan::make(live, &policy.policies).map_err(|why| Stop(why.to_string()));
    let mut plan = make(&live)?;
    // An index that is built anyway need not be looked at, which takes longer than to make a plan.
    let is_built = |it: &Change| matches!(it, Change::Index { .. });
    if let Some(text) = live_table
        && TableKind::of(&kind) == TableKind::Indexed
        && !plan.changes.iter().any(is_built)
    {
        live.index = index::state(host, &request.directory, &kind, &path, text).map_err(Stop)?;
        if live.index.is_some() {
            plan = make(&live)?;
        }
    }
    let Some(result) = result(host, request, &plan, loaded)? else {
        let all = all_files(loaded);
        let errors = draw_errors(loaded, &all, style);
        let is_final = plan.policies.is_empty() && plan.parameters.is_empty();
        return Ok(Planned { plan, errors, is_final });
    };
    let errors = draw_errors(&result, &all_files(&result), style);
    let is_final = is_final(&live, &plan, &policy.policies, &result);
    Ok(Planned { plan, errors, is_final })
}

/// Whether the plan that would be made from its `result` has nothing to do.
///
/// What the table says depends on the policy file and on the digest in force, which main.cf may
/// set; its type on main.cf too, where the policy file leaves it to Postfix.
fn is_final(live: &Live<'_>, plan: &Plan, policies: &Policies, result: &Loaded) -> bool {
    let is_write = |it: &Change| matches!(it, Change::Write { name, .. } if name == "main.cf");
    if !plan.changes.iter().any(is_write) {
        return true;
    }
    let context = result.bare_context();
    let Some(configuration) = &context.configuration else { return false };
    let sets_type = |it: &[u8]| memchr::memmem::find(it, b"default_database_type").is_some();
    let type_stays = policies.table.kind.is_some()
        || !(sets_type(configuration.bytes()) || sets_type(live.configuration.bytes()));
    let digest = context.client(policies.table.client()).client.known_digest();
    let after = Live { configuration, inputs: Vec::new(), ..*live };
    type_stays && digest == live.digest && plan::parameters_hold(&after, policies)
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

/// The directory as it would be; `None`: as it is.
fn result(
    host: &dyn Host,
    request: &Request<'_>,
    plan: &Plan,
    loaded: &Loaded,
) -> Result<Option<Loaded>, Stop> {
    let mut instead = BTreeMap::new();
    for change in &plan.changes {
        if let Change::Write { name, new, .. } = change {
            instead.insert(name.clone(), new.clone());
        }
    }
    if instead.is_empty() {
        return Ok(None);
    }
    load_again(host, &request.with(instead), loaded).map(Some)
}

fn all_files(loaded: &Loaded) -> Vec<SourceId> {
    loaded.sources.iter().map(|(id, _)| id).collect()
}

/// The errors whose primary place is in one of `files`, drawn for people.
pub(super) fn draw_errors(loaded: &Loaded, files: &[SourceId], style: Style) -> String {
    let found = loaded.errors.get_or_init(|| {
        let findings = lint::counted(rules::all(), &loaded.context()).findings;
        findings.into_iter().filter(|it| it.severity == Severity::Error).collect()
    });
    let here = |it: &&Finding| files.contains(&it.primary.span.source);
    let errors: Vec<&Finding> = found.iter().filter(here).collect();
    if errors.is_empty() {
        return String::new();
    }
    let report = Report {
        findings: errors.iter().map(|it| (&loaded.sources, *it)).collect(),
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
