//! What `add` and `retire` share: the text of the policy file is changed through a plan.
//!
//! What was changed is read again with everything that belongs to it, and is not written if the
//! policy files have an error then.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use clap::Args;

use crate::apply::{self, Options, Record, Reload};
use crate::cli::load::{self, Loaded, POLICY_FILE, PolicyFile, Request};
use crate::cli::{Common, OK, Outcome, Stop, complain, failed, planning};
use crate::host::Host;
use crate::plan::{Fixed, Noticed, of_fixes};
use crate::policy::rotation::Effect;
use crate::policy::yaml::edit::{self, Change, Holder, PinKey, Refused};
use crate::policy::{Date, Destination, Nexthop, Pin};
use crate::report::{pin as report, plan};
use crate::text::{SourceId, Span, nearest, shortened};

/// Reads the policy file; it may have errors that the change mends, such as an
/// empty list, or a pin whose file is gone.
pub(super) fn load_policy<'a>(
    host: &dyn Host,
    common: &'a Common,
    policy: Option<&'a Path>,
) -> Result<(Loaded, Request<'a>), Stop> {
    let request = Request { policy, ..common.request(host, &common.directory()) };
    let loaded = load::load(host, &request)?;
    if loaded.policy.is_none() {
        let path = request.directory.join(POLICY_FILE);
        return Err(Stop(format!("{}: there is no such file; name a policy file", path.display())));
    }
    Ok((loaded, request))
}

/// The change that sets the day from which on a pin should be gone.
pub(super) fn retire(pin: usize, day: Date) -> Change {
    Change::Set { pin, key: PinKey::Retire, value: day.to_string() }
}

#[derive(Args, Default)]
#[allow(clippy::struct_excessive_bools, reason = "they are the flags of a command line")]
pub(super) struct How {
    /// Change the profile that the pins come from, for all destinations that use it
    #[arg(long)]
    pub(super) in_profile: bool,
    /// Only say what would change
    #[arg(long)]
    check: bool,
    /// Show the change
    #[arg(long)]
    diff: bool,
}

/// The file that is changed, and whose pins in it.
pub(super) struct Target {
    destination: Nexthop,
    source: SourceId,
    /// The profile that the pins stand in, if they do not stand under the destination.
    profile: Option<String>,
    /// The entries of the list.
    entries: Vec<Span>,
}

impl Target {
    pub(super) fn find(
        loaded: &Loaded,
        common: &Common,
        nexthop: &Nexthop,
        in_profile: bool,
    ) -> Result<Target, Stop> {
        let Some(policy) = &loaded.policy else {
            return Err(Stop("there is no policy file".to_owned()));
        };
        let find = |holder| {
            policy.sources.iter().find_map(|source| {
                let bytes = loaded.sources.source(*source).bytes();
                edit::held(*source, bytes, holder).map(|it| (*source, it))
            })
        };
        let Some((source, held)) = find(Holder::Destination(nexthop)) else {
            // It may stand behind a mistake.
            let errors = planning::draw_errors(loaded, &policy.sources, common.style());
            return Err(if errors.is_empty() {
                no_such_destination(policy, nexthop)
            } else {
                Stop(format!("the policy file has errors; nothing was changed\n\n{errors}"))
            });
        };
        let profile = held.profile.as_ref().filter(|_| !held.has_pins).and_then(|name| {
            let (source, profile) = find(Holder::Profile(name))?;
            profile.has_pins.then_some((name, source, profile))
        });
        let Some((name, profile_source, of_profile)) = profile else {
            if in_profile {
                let why = if held.has_pins {
                    "has pins of its own"
                } else {
                    "has no pins from a profile"
                };
                return Err(Stop(format!(
                    "{nexthop} {why}; leave --in-profile out; nothing was changed"
                )));
            }
            let (destination, entries) = (nexthop.clone(), held.pins);
            return Ok(Target { destination, source, profile: None, entries });
        };
        if !in_profile {
            let file = loaded.sources.of(of_profile.key);
            let users = users(policy, nexthop);
            return Err(Stop(format!(
                "{nexthop} has its pins from profile \"{name}\" ({}:{}), which {users}; with \
                 --in-profile they are changed there, for all of them; to give {nexthop} pins of \
                 its own, write all of them under it; nothing was changed",
                file.name(),
                file.line_column(of_profile.key.start).0.number(),
            )));
        }
        let (destination, entries) = (nexthop.clone(), of_profile.pins);
        Ok(Target { destination, source: profile_source, profile: Some(name.clone()), entries })
    }

    fn holder(&self) -> Holder<'_> {
        match &self.profile {
            Some(name) => Holder::Profile(name),
            None => Holder::Destination(&self.destination),
        }
    }

    pub(super) fn pins<'l>(&self, loaded: &'l Loaded) -> &'l [Pin] {
        Target::pins_of(loaded, &self.destination)
    }

    pub(super) fn pins_of<'l>(loaded: &'l Loaded, nexthop: &Nexthop) -> &'l [Pin] {
        let found = destination(loaded.policy.as_deref(), nexthop);
        found.and_then(|it| it.policy.pins.as_deref()).unwrap_or_default()
    }

    /// The place of a pin in the list, of which the reader may have refused a part.
    pub(super) fn entry(&self, pin: &Pin) -> Result<usize, Stop> {
        let at = self.entries.iter().position(|it| *it == pin.span);
        at.ok_or_else(|| Stop("the pin is not where it was read; nothing was changed".to_owned()))
    }

    /// The directory of the file.
    pub(super) fn folder(&self, loaded: &Loaded) -> PathBuf {
        let name = self.input(loaded).unwrap_or_default();
        load::parent(&loaded.directory.join(name)).to_owned()
    }

    /// What a plan calls the file.
    fn input<'l>(&self, loaded: &'l Loaded) -> Option<&'l str> {
        let policy = loaded.policy.as_ref()?;
        let at = policy.sources.iter().position(|it| *it == self.source)?;
        policy.inputs.get(at).map(|it| it.name.as_str())
    }
}

fn destination<'l>(policy: Option<&'l PolicyFile>, nexthop: &Nexthop) -> Option<&'l Destination> {
    policy?.policies.destinations.iter().find(|it| it.nexthop.value == *nexthop)
}

fn no_such_destination(policy: &PolicyFile, nexthop: &Nexthop) -> Stop {
    let wanted = nexthop.to_string();
    let names: Vec<String> =
        policy.policies.destinations.iter().map(|it| it.nexthop.value.to_string()).collect();
    let help = match nearest(&wanted, names.iter().map(String::as_str)) {
        Some(name) => format!("did you mean \"{name}\"?"),
        None => "add it first, with `level: fingerprint`".to_owned(),
    };
    Stop(format!("{}: no destination {wanted}; {help}; nothing was changed", policy.short_name))
}

/// Who uses the pins of a profile.
fn users(policy: &PolicyFile, nexthop: &Nexthop) -> String {
    let pins = destination(Some(policy), nexthop).and_then(|it| it.policy.pins.as_ref());
    let same = |it: &&Destination| {
        pins.zip(it.policy.pins.as_ref()).is_some_and(|(one, other)| Rc::ptr_eq(one, other))
    };
    let names: Vec<String> = policy
        .policies
        .destinations
        .iter()
        .filter(same)
        .map(|it| it.nexthop.value.to_string())
        .collect();
    match &names[..] {
        [] | [_] => "no other destination uses".to_owned(),
        names => format!("{} use", shortened(&names.join(", "))),
    }
}

/// A file that is being changed.
pub(super) struct Work<'w> {
    pub(super) host: &'w dyn Host,
    pub(super) loaded: &'w Loaded,
    pub(super) request: Request<'w>,
    pub(super) target: Target,
    /// Its bytes, once they are others.
    pub(super) changed: Option<Vec<u8>>,
}

/// What comes after a change of the pins themselves.
pub(super) const APPLY: &str = "`postls apply` puts it in force";

impl Work<'_> {
    fn old(&self) -> &[u8] {
        self.loaded.sources.source(self.target.source).bytes()
    }

    pub(super) fn make(&mut self, change: &Change) -> Result<(), Stop> {
        let bytes = self.changed.as_deref().unwrap_or(self.old());
        let edits = edit::edit(self.target.source, bytes, self.target.holder(), change);
        let edits = edits.map_err(|why| self.refused(&why))?;
        self.changed = Some(edits.apply(bytes));
        Ok(())
    }

    fn refused(&self, Refused { span, text }: &Refused) -> Stop {
        let file = self.loaded.sources.source(self.target.source);
        // The place is one of the file as it is, unless it was changed before.
        let line = span.filter(|_| self.changed.is_none()).map(|it| file.line_column(it.start).0);
        let line = line.map_or(String::new(), |it| format!(":{}", it.number()));
        Stop(format!("{}{line}: {text}; nothing was changed", file.name()))
    }

    /// Everything as it would be; stops if the policy files had errors then.
    pub(super) fn read_again(&self, common: &Common) -> Result<Loaded, Stop> {
        let mut instead = BTreeMap::new();
        if let Some(bytes) = &self.changed {
            let name = self.loaded.sources.source(self.target.source).name();
            instead.insert(name.to_owned(), bytes.clone());
        }
        let after = load::load(self.host, &self.request.with(instead))?;
        let sources = after.policy.as_ref().map_or(&[][..], |it| &it.sources);
        let errors = planning::draw_errors(&after, sources, common.style());
        if errors.is_empty() {
            return Ok(after);
        }
        Err(Stop(format!("the policy file would have errors; nothing was changed\n\n{errors}")))
    }

    /// Writes the file, or shows what would be written; `then` says what comes after the writing.
    pub(super) fn finish(
        self,
        common: &Common,
        how: &How,
        said: &str,
        then: &str,
    ) -> Result<Outcome, Stop> {
        let (Some(name), Some(policy)) = (self.target.input(self.loaded), &self.loaded.policy)
        else {
            return Err(Stop("there is no policy file".to_owned()));
        };
        let old = self.old().to_vec();
        let new = self.changed.unwrap_or_else(|| old.clone());
        let (name, indexes, noticed) = (name.to_owned(), Vec::new(), Noticed::ByItself);
        let fixed = Fixed { name, old, new, indexes, noticed };
        let plan = of_fixes(vec![fixed], policy.inputs.clone());
        let changes = !plan.changes.is_empty();
        let options = Options { reload: Reload::Never, record: Record::Nothing };
        if !how.check
            && let Err(failure) = apply::apply(self.host, &self.loaded.directory, &plan, &options)
        {
            complain(&failure.to_string());
            return Ok(Outcome { output: Vec::new(), status: failed(&failure) });
        }
        let mut text = String::new();
        if changes && (how.check || how.diff) {
            text = plan::human(&plan, common.style());
            text.push('\n');
        }
        if !common.quiet {
            text.push_str(said);
            let why = destination(Some(policy), &self.target.destination);
            let why = why.and_then(|it| report::effect(Effect::of(it)));
            let then = match (changes, how.check, why) {
                (false, ..) => "nothing to change".to_owned(),
                (true, true, _) => "only checked: nothing was changed".to_owned(),
                (true, false, None) => then.to_owned(),
                (true, false, Some(why)) => format!("it has no effect yet: {why}"),
            };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{then}");
        }
        Ok(Outcome { output: text.into_bytes(), status: OK })
    }
}
