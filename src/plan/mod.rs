//! What is to change, as data: made once, shown by `diff`, done by `apply`.
//!
//! A plan names the files that it was made from by their digests, holds the
//! new bytes of each file that changes, and says what the change means for
//! each destination and each parameter.

mod asker;
mod fixes;
mod given_up;
mod main_cf;
mod meaning;
mod note;
mod pins;
mod shift;
pub mod stored;

use std::collections::HashSet;

use sha2::{Digest as _, Sha256};

pub use asker::Asking;
pub use fixes::{Fixed, Noticed, of_fixes};
pub use given_up::{GivenUp, Summary};
pub use main_cf::Unplannable;
pub use meaning::{ParameterChange, PolicyChange};
pub use note::{Downgrade, Note};
pub use pins::{PinChange, changes_of_pins};
pub use shift::{Shift, Trend, Weaker};

use crate::config::{Configuration, Scope, TableKind};
use crate::policy::compile;
use crate::policy::{Policies, Table};
use crate::postfix::Digest;
use crate::syntax::table::{self, Kind};
use crate::text::fold;

/// Everything that has to happen, in this order: tables, master.cf, main.cf, what goes away, reload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The files that it was made from. If one is another now, the plan is stale.
    pub base: Vec<Base>,
    /// What happens to files, in order. Empty: the wanted state holds.
    pub changes: Vec<Change>,
    /// What that means for destinations.
    pub policies: Vec<PolicyChange>,
    /// What that means for all destinations that no row speaks of; `None`: nothing.
    pub others: Option<Shift>,
    /// What that means for parameters.
    pub parameters: Vec<ParameterChange>,
    /// Whether a running Postfix notices the change only when it is told.
    pub reload: bool,
    /// What is kept of it for those who ask later.
    pub note: Note,
}

impl Plan {
    /// Whether rows of the table go away.
    pub fn drops_rows(&self) -> bool {
        self.policies.iter().any(PolicyChange::drops_row)
    }

    /// Marks the rows that would be lost and that postls did not write: they are not in the table as
    /// it left it.
    pub fn mark_foreign(&mut self, written: &[u8]) {
        meaning::mark_foreign(&mut self.policies, written);
    }

    /// What the plan's bytes mean: for each destination, and for all that no row speaks of.
    /// `place`: its table; `live`: the table's source as it is; `left`: as postls left it, where that was
    /// kept.
    pub fn meaning(
        &self,
        asking: &Asking<'_>,
        place: &stored::Place,
        live: Option<&[u8]>,
        left: Option<&[u8]>,
    ) -> (Vec<PolicyChange>, Option<Shift>) {
        let table = live.unwrap_or_default();
        let new_table = stored::written(&self.changes, &place.table).unwrap_or(table);
        let main_cf = asking.configuration.bytes();
        let new_main_cf = stored::written(&self.changes, "main.cf").unwrap_or(main_cf);
        let states = meaning::States { table, new_table, new_main_cf };
        let (mut policies, others) = meaning::of(asking, &states);
        if let Some(left) = left {
            meaning::mark_foreign(&mut policies, left);
        }
        (policies, others)
    }

    /// Keys of rows that postls did not write and that would be lost.
    pub fn foreign(&self) -> impl Iterator<Item = &str> {
        self.policies.iter().filter(|it| it.foreign).map(|it| it.destination.as_str())
    }
}

/// A file that a plan was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// Relative to the configuration directory.
    pub name: String,
    /// SHA-256 of its bytes; `None`: it was not there.
    pub digest: Option<[u8; 32]>,
}

/// One file that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The file gets these bytes.
    Write {
        /// Relative to the configuration directory.
        name: String,
        /// The lookup table type by which Postfix asks it, where it is a table of rows.
        kind: Option<String>,
        /// Its bytes now; `None`: it is not there.
        old: Option<Vec<u8>>,
        /// Its bytes afterwards.
        new: Vec<u8>,
    },
    /// The file goes away.
    Remove {
        /// Relative to the configuration directory.
        name: String,
        /// Its bytes now; `None`: it is an index, which can be built again.
        old: Option<Vec<u8>>,
    },
    /// postmap builds the index of a table, from these bytes.
    Index {
        /// The lookup table type.
        kind: String,
        /// The table, relative to the configuration directory, without the index's suffix.
        name: String,
        /// The table's source.
        text: Vec<u8>,
        /// Why it is built.
        why: Stale,
    },
}

impl Change {
    /// The file that it is about, or the table whose index is built.
    pub fn name(&self) -> &str {
        match self {
            Change::Write { name, .. }
            | Change::Index { name, .. }
            | Change::Remove { name, .. } => name,
        }
    }
}

/// Why an index has to be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stale {
    /// The table's source changes.
    SourceChanges,
    /// There is none.
    Missing,
    /// It holds something else than its source.
    Differs,
}

/// The live state that a plan starts from.
pub struct Live<'a> {
    /// main.cf as it is.
    pub configuration: &'a Configuration<'a>,
    /// The table's source as it is; `None`: not there.
    pub table: Option<&'a [u8]>,
    /// The lookup table type to write.
    pub kind: &'a str,
    /// What is wrong with the live index, if the type has one.
    pub index: Option<Stale>,
    /// The digest of fingerprints that will be in force for the client that asks the table; `None`:
    /// one that postls does not know.
    pub digest: Option<Digest>,
    /// Further files that the plan depends on: the policy files, and those that their pins name.
    pub inputs: Vec<Base>,
    /// The policy file's name, for the table's header.
    pub policy_file: &'a str,
    /// What main.cf may call the table: `$config_directory/tls_policy`, an absolute path.
    pub table_names: &'a [String],
    /// The services of master.cf.
    pub scopes: &'a [Scope],
    /// The sources of other tables of rows, by their names in lists: `hash:/etc/postfix/more`.
    pub beside: &'a [(String, &'a [u8])],
}

/// Makes the plan that turns `live` into what the policies say.
pub fn make(live: &Live<'_>, policies: &Policies) -> Result<Plan, Unplannable> {
    let rows = compile::rows(policies, live.digest);
    let text = compile::table(&rows, live.policy_file).into_bytes();
    let configuration = live.configuration;
    let listed = has_table(policies, live.table).then_some((live.kind, live.table_names));
    let (edits, parameters) = main_cf::edit(configuration, policies, listed)?;
    let main_cf = edits.apply(configuration.bytes());
    let asking = Asking {
        configuration,
        scopes: live.scopes,
        program: policies.table.client(),
        table_names: live.table_names,
        beside: live.beside,
    };
    let table = live.table.unwrap_or_default();
    let new_table = if listed.is_some() { text.as_slice() } else { table };
    let states = meaning::States { table, new_table, new_main_cf: &main_cf };
    let (mut changes, others) = meaning::of(&asking, &states);
    given_up::explain(&mut changes, policies, live.digest);

    let mut plan = Plan {
        base: vec![
            base("main.cf", Some(configuration.bytes())),
            base(&policies.table.path, live.table),
        ],
        changes: Vec::new(),
        policies: changes,
        others,
        parameters,
        reload: false,
        note: Note::default(),
    };
    plan.base.extend(live.inputs.iter().cloned());
    if listed.is_some() {
        table_changes(live, &policies.table, text, &mut plan);
    }
    if main_cf != configuration.bytes() {
        plan.reload = true;
        plan.changes.push(Change::Write {
            name: "main.cf".to_owned(),
            kind: None,
            old: Some(configuration.bytes().to_vec()),
            new: main_cf,
        });
    }
    Ok(plan)
}

/// Whether main.cf is as the policies want it.
pub fn parameters_hold(live: &Live<'_>, policies: &Policies) -> bool {
    let configuration = live.configuration;
    let listed = has_table(policies, live.table).then_some((live.kind, live.table_names));
    let edited = main_cf::edit(configuration, policies, listed);
    edited.is_ok_and(|(edits, _)| edits.apply(configuration.bytes()) == configuration.bytes())
}

/// Whether the policy file has a table at all. One that names none and has no destination leaves
/// all tables alone, but for one that was postls's: its last destination may have been taken out.
pub fn has_table(policies: &Policies, live: Option<&[u8]>) -> bool {
    let named = policies.table.span.is_some() || !policies.destinations.is_empty();
    named || live.is_some_and(is_ours)
}

fn is_ours(table: &[u8]) -> bool {
    table.starts_with(compile::MARK.as_bytes())
}

/// The name and digest of a file that a plan depends on.
pub fn base(name: &str, bytes: Option<&[u8]>) -> Base {
    Base { name: name.to_owned(), digest: bytes.map(|it| Sha256::digest(it).into()) }
}

fn table_changes(live: &Live<'_>, table: &Table, wanted: Vec<u8>, plan: &mut Plan) {
    let indexed = TableKind::of(live.kind) == TableKind::Indexed;
    // What somebody else wrote stays, comments and all, as long as its rows say the same. A daemon
    // that reads the text itself refuses all of it for a key that stands there twice.
    let stays = live.table.filter(|it| {
        let says_the_same =
            plan.policies.iter().all(PolicyChange::row_stays) && (indexed || !has_key_twice(it));
        if is_ours(it) { *it == wanted } else { says_the_same }
    });
    let (kind, name) = (live.kind.to_owned(), table.path.clone());
    if let Some(text) = stays {
        if let Some(why) = live.index.filter(|_| indexed) {
            plan.changes.push(Change::Index { kind, name, text: text.to_vec(), why });
        }
        return;
    }
    if indexed {
        let (kind, name, text) = (kind.clone(), name.clone(), wanted.clone());
        plan.changes.push(Change::Index { kind, name, text, why: Stale::SourceChanges });
    }
    // smtp(8) notices a new index by itself; texthash is read once.
    plan.reload |= !indexed;
    let old = live.table.map(<[u8]>::to_vec);
    plan.changes.push(Change::Write { name, kind: Some(kind), old, new: wanted });
}

fn has_key_twice(table: &[u8]) -> bool {
    let mut seen = HashSet::new();
    let parsed = table::parse(table);
    let mut entries = parsed.rows.iter().filter(|it| it.kind == Kind::Entry);
    entries.any(|it| !seen.insert(fold(&it.key(table)).into_owned()))
}
