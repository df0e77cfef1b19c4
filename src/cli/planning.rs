//! What compile, diff and apply share: the policy file without errors, and the plan.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::image::Place;
use super::load::{self, Loaded, POLICY_FILE, Request, Whose};
use super::load_again::load_again;
use super::{Common, Stop};
use crate::apply::{self, index};
use crate::config::{Configuration, Origin, TableKind};
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
    let (loaded, request) = load_request(host, request)?;
    refuse_errors(&loaded, common.style())?;
    Ok((loaded, request))
}

/// The same for a machine or an image, for [`plan_of_file`], which says what is wrong with the policy
/// file. One that is named is one of this machine; where none is, it is the one in the configuration
/// directory. `host`: the place's, or one that stands between.
pub(super) fn load_in<'a>(
    place: &Place,
    host: &dyn Host,
    common: &'a Common,
    policy: Option<&'a Path>,
) -> Result<(Loaded, Request<'a>), Stop> {
    let policy_of = if place.can_run() { Whose::Hosts } else { Whose::Machines };
    let request = common.request(host, &common.directory());
    load_request(host, Request { policy, policy_of, ..request })
}

fn load_request<'a>(host: &dyn Host, request: Request<'a>) -> Result<(Loaded, Request<'a>), Stop> {
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
    Ok((loaded, request))
}

/// Stops where the policy file has errors.
fn refuse_errors(loaded: &Loaded, style: Style) -> Result<(), Stop> {
    let files = loaded.policy.as_ref().map_or(&[][..], |it| &it.sources);
    let errors = draw_errors(loaded, files, style);
    if errors.is_empty() {
        return Ok(());
    }
    Err(Stop(format!("the policy file has errors; nothing was changed\n\n{errors}")))
}

/// Makes the plan for a directory that was loaded, and stops where its policy file has errors. All
/// is linted once: what is said of the policy file is the same before and afterwards.
pub(super) fn plan_of_file(
    host: &dyn Host,
    loaded: &Loaded,
    request: &Request<'_>,
    style: Style,
) -> Result<Planned, Stop> {
    // What is left out where it has mistakes would be planned to go.
    if loaded.policy.as_ref().is_some_and(|it| !it.problems.is_empty()) {
        refuse_errors(loaded, style)?;
    }
    let (planned, result) = plan_and_result(host, loaded, request, style)?;
    refuse_errors(result.as_ref().unwrap_or(loaded), style)?;
    Ok(planned)
}

/// Makes the plan for a directory that was loaded without errors in its policy file.
pub(super) fn plan(
    host: &dyn Host,
    loaded: &Loaded,
    request: &Request<'_>,
    style: Style,
) -> Result<Planned, Stop> {
    plan_and_result(host, loaded, request, style).map(|it| it.0)
}

/// The plan, and what it leads to, if that is something else.
fn plan_and_result(
    host: &dyn Host,
    loaded: &Loaded,
    request: &Request<'_>,
    style: Style,
) -> Result<(Planned, Option<Loaded>), Stop> {
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
        Some(source) => Some(loaded.sources.source(source).bytes()),
        None if host.exists(&path) => {
            read = load::read(host, &path)?;
            Some(read.as_slice())
        }
        None => None,
    };
    let has_table = plan::has_table(&policy.policies, live_table);
    let kind = match &table.kind {
        Some(kind) => kind.clone(),
        None if !has_table => String::new(),
        None => match set_kind(configuration) {
            Some(kind) => kind,
            None => default_kind(host, &request.directory)?,
        },
    };
    let effective = context.effective();
    let written = apply::written(host, &request.directory, &table.path);
    let mut live = Live {
        scopes: effective.as_ref().map(|it| &*it.scopes).unwrap_or_default(),
        beside: &beside(loaded, table.client()),
        configuration,
        table: live_table,
        written: written.as_deref(),
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
    if let Some(text) = live_table.filter(|_| has_table)
        && TableKind::of(&kind) == TableKind::Indexed
        && !plan.changes.iter().any(is_built)
    {
        live.index = index::state(host, &request.directory, &kind, &path, text).map_err(Stop)?;
        if live.index.is_some() {
            plan = make(&live)?;
        }
    }
    // Where nothing changes, nothing gets worse: what is wrong there is for lint to say.
    if plan.changes.is_empty() {
        let says_nothing =
            plan.policies.is_empty() && plan.parameters.is_empty() && plan.others.is_none();
        return Ok((Planned { plan, errors: String::new(), is_final: says_nothing }, None));
    }
    let result = load_again(host, &request.with(written_by(&plan)), loaded)?;
    let mut errors = draw_errors(&result, &all_files(&result), style);
    if has_table && is_taken_apart(&request.directory) {
        let _ = writeln!(
            errors,
            "{}: main.cf names the table by $config_directory, and Postfix takes such a list apart at \
             blanks and commas, and expands what begins with \"$\"; use a directory without them",
            request.directory.display()
        );
    }
    let is_final = is_final(&live, &plan, &policy.policies, &result);
    Ok((Planned { plan, errors, is_final }, Some(result)))
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

/// The sources of the tables of rows that a client asks, by their names in its list.
pub(super) fn beside<'l>(loaded: &'l Loaded, program: &str) -> Vec<(String, &'l [u8])> {
    let context = loaded.bare_context();
    let Some(effective) = context.effective() else { return Vec::new() };
    let clients = lint::clients(&effective).into_iter();
    let tables = clients.filter(|it| it.client.name == program).flat_map(|it| it.tables);
    let mut found: Vec<(String, &[u8])> = Vec::new();
    for table in tables.filter(|it| it.kind != TableKind::Other) {
        let short = table.name.strip_prefix("$config_directory/").unwrap_or(&table.name);
        // In a copy of a configuration, names are those of the original.
        let names = [&loaded.directory, Path::new(load::DEFAULT_DIRECTORY)]
            .map(|it| load::name_in(it, Path::new(short)));
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
    let loaded = load::load(host, &request.with(written_by(plan)))?;
    Ok(draw_errors(&loaded, &all_files(&loaded), style))
}

/// What a plan writes.
fn written_by(plan: &Plan) -> BTreeMap<String, Vec<u8>> {
    let mut instead = BTreeMap::new();
    for change in &plan.changes {
        if let Change::Write { name, new, .. } = change {
            instead.insert(name.clone(), new.clone());
        }
    }
    instead
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
