//! Plans in files: `diff --out` writes one, `apply` makes it true.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::load::{self, Loaded, Request};
use super::planning::{self, Planned};
use super::{Common, Stop};
use crate::apply;
use crate::host::Host;
use crate::plan::{self, Asking, Plan, PolicyChange, stored};

/// Writes a plan into a file that only its owner may read: main.cf can hold secrets.
pub(super) fn write(host: &dyn Host, out: &Path, loaded: &Loaded, plan: &Plan) -> Result<(), Stop> {
    let Some(policy) = &loaded.policy else {
        return Err(Stop("there is no policy file".to_owned()));
    };
    let table = &policy.policies.table;
    let place = stored::Place {
        directory: loaded.directory.as_os_str().as_bytes().to_vec(),
        table: table.path.clone(),
        parameter: table.parameter.clone(),
    };
    let text = stored::write(plan, &place);
    let written = host.store(out, text.as_bytes());
    written.map_err(|error| Stop(format!("{}: {error}", out.display())))
}

/// The bytes of a file that is meant as a plan; `None`: it is a policy file, or whoever reads that
/// says what is wrong.
pub(super) fn plan_in(host: &dyn Host, path: &Path) -> Option<Vec<u8>> {
    host.read(path).ok().filter(|it| stored::is_meant(it))
}

/// The plan in a file, what lint says of its result, the directory and the table.
pub(super) fn read(
    host: &dyn Host,
    common: &Common,
    path: &Path,
    bytes: &[u8],
) -> Result<(Planned, PathBuf, String), Stop> {
    let refuse = |why: &str| Stop(format!("{}: {why}; nothing was changed", path.display()));
    let (mut plan, place) = stored::read(bytes).map_err(|why| refuse(&why.to_string()))?;
    let request = common.request(host, &common.directory());
    let directory = PathBuf::from(OsString::from_vec(place.directory.clone()));
    if directory != request.directory {
        return Err(refuse(&format!(
            "this plan is for {}, and not for {}",
            directory.display(),
            request.directory.display()
        )));
    }
    let changed = changed(host, &directory, &plan)?;
    if !changed.is_empty() {
        return Err(refuse(&format!(
            "this plan is stale: {} changed since it was made; make another with `postls diff --out`",
            changed.join(", ")
        )));
    }
    let loaded = load::load(host, &request)?;
    check_meaning(host, &request, &loaded, &place, &mut plan).map_err(|why| refuse(&why))?;
    let errors = planning::errors_of_result(host, &request, &plan, common.style())?;
    Ok((Planned { plan, errors, is_final: false }, directory, place.table))
}

/// The files that are not those that the plan was made from.
fn changed(host: &dyn Host, directory: &Path, plan: &Plan) -> Result<Vec<String>, Stop> {
    let mut changed = Vec::new();
    for base in &plan.base {
        let path = directory.join(&base.name);
        let bytes = match host.read(&path) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => {
                return Err(Stop(format!("{}: {}", path.display(), load::why_unread(&error))));
            }
        };
        if plan::base(&base.name, bytes.as_deref()) != *base {
            changed.push(base.name.clone());
        }
    }
    Ok(changed)
}

/// The plan says of destinations what its bytes mean here and now: nobody allows what is not shown.
fn check_meaning(
    host: &dyn Host,
    request: &Request<'_>,
    loaded: &Loaded,
    place: &stored::Place,
    plan: &mut Plan,
) -> Result<(), String> {
    let context = loaded.bare_context();
    let (Some(configuration), Some(effective)) = (&context.configuration, context.effective())
    else {
        return Err("there is no main.cf".to_owned());
    };
    let program = if place.parameter.starts_with("lmtp") { "lmtp" } else { "smtp" };
    let asking = Asking {
        configuration,
        scopes: &effective.scopes,
        program,
        table_names: &load::names_of(host, &request.directory, &place.table),
        beside: &planning::beside(loaded, program),
    };
    let path = request.directory.join(&place.table);
    let live = if host.exists(&path) {
        Some(load::read(host, &path).map_err(|Stop(why)| why)?)
    } else {
        None
    };
    let left = apply::written(host, &request.directory, &place.table);
    let (mut policies, others) = plan.meaning(&asking, place, live.as_deref(), left.as_deref());
    for (meant, said) in policies.iter_mut().zip(&plan.policies) {
        take_reasons(meant, said);
    }
    if policies != plan.policies || others != plan.others {
        return Err("what this plan means for destinations is not what it says, since \
                    something else changed that they depend on; make another with \
                    `postls diff --out`"
            .to_owned());
    }
    Ok(())
}

/// What stands in the policy file alone: reasons, and which fingerprint in an old digest is of a key
/// that stays with one in the new digest.
fn take_reasons(meant: &mut PolicyChange, said: &PolicyChange) {
    meant.owner.clone_from(&said.owner);
    meant.reason.clone_from(&said.reason);
    let shift = &mut meant.shift;
    let of_one_digest = |a: &String| {
        shift.pins_added.is_empty() || shift.pins_added.iter().any(|b| a.len() == b.len())
    };
    let lost = &said.shift.pins_lost;
    shift.pins_lost.retain(|it| lost.contains(it) || of_one_digest(it));
}
