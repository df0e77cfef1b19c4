//! `postls lint --fix`: fixes are made in memory, round by round, until none is left to make; then
//! one plan puts the files in their places, as apply does with its own.
//!
//! A fix after which there would be an error that was not there before is not made: it would put
//! into force what nobody has seen at work. Postfix is not told: that is for whoever asked.

use std::collections::{BTreeMap, HashSet};
use std::ops::Deref;
use std::path::Path;

use clap::Args;

use super::baseline::Baseline;
use super::inputs::Input;
use super::{Failed, Seen};
use crate::apply::{self, KEEP, Options, Record, Reload, Told, index};
use crate::cli::load::{self, Request};
use crate::cli::{Stop, failed};
use crate::config::{Grammar, TableKind};
use crate::finding::Finding;
use crate::host::Host;
use crate::lint::fix::{Errors, Wanted, at_once, edits};
use crate::lint::{self, identities};
use crate::plan::{self, Base, Change, Fixed, Noticed, Plan, of_fixes};
use crate::rules;
use crate::text::{Edit, Secret, SourceId};

/// More rounds than that after which no less is left to fix, and fixes undo each other.
const MOST_ROUNDS: usize = 10;

#[derive(Args)]
pub(super) struct Fixes {
    /// Change the files: make the fixes after which mail flows as it should
    #[arg(long, conflicts_with_all = ["as_name", "write_baseline", "staged"])]
    fix: bool,
    /// With --fix: make those fixes too about which a person should decide
    #[arg(long = "unsafe-fixes", requires = "fix")]
    all: bool,
    /// With --fix: print what would change as a patch, and change nothing
    #[arg(long, requires = "fix", conflicts_with = "format")]
    diff: bool,
}

/// What is to be done about fixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Write the files.
    Write,
    /// Say what would be written.
    Show,
}

impl Fixes {
    /// Which fixes are wanted and what for; `None`: none.
    pub(super) fn wanted(&self) -> Option<(Wanted, Then)> {
        let wanted = if self.all { Wanted::All } else { Wanted::Safe };
        self.fix.then_some((wanted, if self.diff { Then::Show } else { Then::Write }))
    }
}

/// What became of a directory.
pub(super) struct Done {
    /// What is left to be found.
    pub(super) seen: Seen,
    /// The changes, where nothing was to be written.
    pub(super) patch: Option<Patch>,
    /// What to say about it on standard error.
    pub(super) said: Vec<String>,
}

/// Changes that were not made.
pub(super) struct Patch {
    /// Without those of files that hold passwords.
    pub(super) text: Vec<u8>,
    /// Whether there are any.
    pub(super) changes: bool,
}

/// Makes the fixes of the findings that `look` lets count.
pub(super) fn fix(
    host: &dyn Host,
    Input { request, files: asked }: &Input<'_>,
    (wanted, then): (Wanted, Then),
    baseline: Option<&Baseline>,
    look: &dyn Fn(&Request<'_>) -> Result<Seen, Stop>,
) -> Result<Done, Failed> {
    let files = BTreeMap::new();
    let mut work = Work { request, asked, wanted, baseline, look, files, said: Vec::new() };
    let mut seen = work.look(request)?;
    let before = seen.errors.clone();
    let mut base = BTreeMap::new();
    work.remember(&seen, &mut base);
    let mut left_out = HashSet::new();
    let (mut least, mut in_vain) = (usize::MAX, 0);
    while let Some(next) = work.round(&seen, &mut left_out)? {
        let left = next.findings.iter().filter(|it| wanted.fix(it).is_some()).count();
        in_vain = if left < least { 0 } else { in_vain + 1 };
        least = left.min(least);
        if in_vain > MOST_ROUNDS {
            let files: Vec<&str> = work.files.keys().map(String::as_str).collect();
            return Err(Failed::from(Stop(format!(
                "{}: fixes undo each other, which is a mistake of postls: please report it; \
                 nothing was changed",
                files.join(", ")
            ))));
        }
        work.remember(&next, &mut base);
        seen = next;
    }
    if let Some(rule) = seen.errors.more_than(&before) {
        return Err(Failed::from(Stop(format!(
            "after the fixes there would be an error of {rule} that is not there now; nothing was \
             changed; if that is not because of what your files say, please report it"
        ))));
    }
    let plan = work.plan(host, &seen, base.into_values().collect())?;
    let mut said = std::mem::take(&mut work.said);
    let patch = match then {
        Then::Show => {
            Some(Patch { text: work.patch(&plan, &mut said), changes: !plan.changes.is_empty() })
        }
        Then::Write => {
            let told = write(host, &request.directory, &plan)?;
            said.extend(work.fixed("fixed"));
            said.extend(told);
            None
        }
    };
    Ok(Done { seen: seen.seen, patch, said })
}

/// Lets apply do it; what a running Postfix does not know.
fn write(host: &dyn Host, directory: &Path, plan: &Plan) -> Result<Option<String>, Failed> {
    if plan.changes.is_empty() {
        return Ok(None);
    }
    let record = Record::Generation { command: "lint --fix", policy: None, keep: KEEP };
    match apply::apply(host, directory, plan, &Options { reload: Reload::Never, record }) {
        Ok(done) => Ok(match done.postfix {
            Told::NotTold(_) => Some(
                "Postfix goes on with what it has read before; tell it with `postfix reload`"
                    .to_owned(),
            ),
            Told::NotNeeded | Told::NotRunning | Told::Reloaded => None,
        }),
        Err(failure) => {
            let status = failed(&failure);
            Err(Failed { why: failure.to_string(), status })
        }
    }
}

/// A file that changes.
struct File {
    /// What a plan calls it.
    name: String,
    /// What people call it.
    shown: String,
    secret: Secret,
    is_policy: bool,
    old: Vec<u8>,
    new: Vec<u8>,
    /// How many findings were fixed in it.
    fixed: usize,
}

/// What is seen, and all errors.
struct Looked {
    seen: Seen,
    errors: Errors,
}

impl Deref for Looked {
    type Target = Seen;

    fn deref(&self) -> &Seen {
        &self.seen
    }
}

struct Work<'w> {
    request: &'w Request<'w>,
    /// The names of the files that were asked for; none: all.
    asked: &'w [String],
    wanted: Wanted,
    baseline: Option<&'w Baseline>,
    look: &'w dyn Fn(&Request<'_>) -> Result<Seen, Stop>,
    /// By the name that a request knows them by.
    files: BTreeMap<String, File>,
    said: Vec<String>,
}

impl Work<'_> {
    fn look(&self, request: &Request<'_>) -> Result<Looked, Stop> {
        let seen = (self.look)(request)?;
        // Those too that nobody wants to see.
        let errors = Errors::of(&lint::run_all(rules::all(), &seen.loaded.context()));
        Ok(Looked { seen, errors })
    }

    /// Makes what can be made at once; `None`: there is nothing left to make.
    fn round(
        &mut self,
        seen: &Looked,
        left_out: &mut HashSet<String>,
    ) -> Result<Option<Looked>, Stop> {
        let sources = &seen.loaded.sources;
        let findings = || seen.findings.iter().map(|it| (sources, it));
        let known = identities(findings());
        let is_wanted =
            |(id, it): &(&String, &Finding)| !left_out.contains(*id) && self.is_in_asked(seen, it);
        let in_baseline = self.baseline.map(|it| it.knows(findings()).0).unwrap_or_default();
        let mut in_baseline = in_baseline.into_iter();
        let wanted = known.iter().zip(&seen.findings);
        let wanted = wanted.filter(|_| !in_baseline.next().unwrap_or(false)).filter(is_wanted);
        let (known, wanted): (Vec<&String>, Vec<&Finding>) = wanted.unzip();
        let chosen = at_once(&wanted, self.wanted);
        if chosen.is_empty() {
            return Ok(None);
        }
        let fixes: Vec<&Finding> = chosen.iter().map(|it| wanted[*it]).collect();
        let next = self.after(seen, &fixes)?;
        let worse = |next: &Looked| next.errors.more_in_the_end(&seen.errors, self.wanted);
        let Some(mut rule) = worse(&next) else {
            self.keep(seen, &fixes);
            return Ok(Some(next));
        };
        // As many of the first ones as do no harm, and without the one behind them.
        let (mut good, mut bad, mut best) = (0, fixes.len(), None);
        while bad - good > 1 {
            let middle = usize::midpoint(good, bad);
            let next = self.after(seen, &fixes[..middle])?;
            match worse(&next) {
                Some(it) => (rule, bad) = (it, middle),
                None => (good, best) = (middle, Some(next)),
            }
        }
        let harmful = fixes[good];
        left_out.insert(known[chosen[good]].clone());
        let source = sources.of(harmful.primary.span);
        let (line, _) = source.line_column(harmful.primary.span.start);
        self.said.push(format!(
            "{}:{}: {} is not fixed: {rule} would be found then",
            source.name(),
            line.number(),
            harmful.rule
        ));
        self.keep(seen, &fixes[..good]);
        match best {
            Some(next) => Ok(Some(next)),
            // Nothing has changed, and something is left out now.
            None => self.round(seen, left_out),
        }
    }

    /// Whether the fix of a finding is one of the files that were asked for alone.
    fn is_in_asked(&self, seen: &Seen, finding: &Finding) -> bool {
        let is_asked = |it: &Edit| {
            let name = seen.loaded.sources.of(it.span).name();
            self.asked.is_empty() || self.asked.iter().any(|it| it == name)
        };
        finding.fix.iter().flat_map(|it| &it.edits).all(is_asked)
    }

    /// What would be seen after these fixes.
    fn after(&self, seen: &Seen, fixes: &[&Finding]) -> Result<Looked, Stop> {
        let mut instead: BTreeMap<String, Vec<u8>> =
            self.files.iter().map(|(key, file)| (key.clone(), file.new.clone())).collect();
        let mut changed = Vec::new();
        for (source, bytes) in self.fixed_bytes(seen, fixes) {
            let source = seen.loaded.sources.source(source);
            changed.push((source.name(), bytes.clone()));
            instead.insert(self.key(source.name()), bytes);
        }
        let next = self.look(&self.request.with(instead))?;
        for (name, bytes) in changed {
            let is_other = |id| next.loaded.sources.source(id).bytes() != bytes;
            if next.loaded.source(name).is_some_and(is_other) {
                return Err(Stop(format!(
                    "{name}: it has another name in the directory; name that one; \
                     nothing was changed"
                )));
            }
        }
        Ok(next)
    }

    fn fixed_bytes(&self, seen: &Seen, fixes: &[&Finding]) -> Vec<(SourceId, Vec<u8>)> {
        let fixes = fixes.iter().filter_map(|it| self.wanted.fix(it));
        let bytes = |id| seen.loaded.sources.source(id).bytes();
        edits(fixes).into_iter().map(|(id, edits)| (id, edits.apply(bytes(id)))).collect()
    }

    /// From now on the files are as they are after these fixes.
    fn keep(&mut self, seen: &Seen, fixes: &[&Finding]) {
        for (id, bytes) in self.fixed_bytes(seen, fixes) {
            let source = seen.loaded.sources.source(id);
            let (key, name) = (self.key(source.name()), self.name_in_plan(seen, id));
            let file = self.files.entry(key).or_insert_with(|| File {
                name,
                shown: source.name().to_owned(),
                secret: source.secret(),
                is_policy: seen.loaded.policy.iter().any(|it| it.sources.contains(&id)),
                old: source.bytes().to_vec(),
                new: Vec::new(),
                fixed: 0,
            });
            file.new = bytes;
            let made = fixes.iter().filter_map(|it| self.wanted.fix(it));
            file.fixed += made.filter(|it| it.edits[0].span.source == id).count();
        }
    }

    /// The files that the plan is made from, as they were read from the disk.
    fn remember(&self, seen: &Seen, base: &mut BTreeMap<String, Base>) {
        for (id, source) in seen.loaded.sources.iter() {
            let name = self.name_in_plan(seen, id);
            let is_read = |name: &String| plan::base(name, Some(source.bytes()));
            base.entry(name.clone()).or_insert_with(|| is_read(&name));
        }
    }

    /// What the request calls a file that is shown under this name.
    fn key(&self, shown: &str) -> String {
        let shown_in = &self.request.shown_in;
        let inside = Path::new(shown).strip_prefix(shown_in).ok();
        let inside = inside.filter(|_| !shown_in.as_os_str().is_empty());
        inside.map_or(shown.to_owned(), |it| it.to_string_lossy().into_owned())
    }

    /// A policy file may be shown by a name relative to where postls was started.
    fn name_in_plan(&self, seen: &Seen, id: SourceId) -> String {
        let policy = seen.loaded.policy.as_ref();
        let of_policy = policy.and_then(|it| {
            let at = it.sources.iter().position(|it| *it == id)?;
            Some(it.inputs.get(at)?.name.clone())
        });
        of_policy.unwrap_or_else(|| self.key(seen.loaded.sources.source(id).name()))
    }

    fn plan(&self, host: &dyn Host, seen: &Seen, base: Vec<Base>) -> Result<Plan, Stop> {
        let mut fixed = Vec::new();
        for file in self.files.values() {
            let (indexes, noticed) = match file.name.as_str() {
                _ if file.is_policy => (Vec::new(), Noticed::ByItself),
                "main.cf" | "master.cf" => (Vec::new(), Noticed::OnReload),
                _ => self.table(host, seen, file)?,
            };
            let (old, new) = (file.old.clone(), file.new.clone());
            fixed.push(Fixed { name: file.name.clone(), old, new, indexes, noticed });
        }
        Ok(of_fixes(fixed, base))
    }

    /// The indexes that a table has, and whether Postfix looks at them or at the table itself.
    fn table(
        &self,
        host: &dyn Host,
        seen: &Seen,
        file: &File,
    ) -> Result<(Vec<String>, Noticed), Stop> {
        let directory = &self.request.directory;
        let path = directory.join(&file.name);
        let names = load::names_of(host, directory, &file.name);
        let context = seen.loaded.context();
        let mut kinds: Vec<String> = Vec::new();
        let tables = context.effective().map(|it| it.table_files(&seen.loaded.sources));
        for table in tables.unwrap_or_default() {
            if !names.iter().any(|it| it == table.name()) {
                continue;
            }
            if table.grammar == Grammar::Aliases {
                return Err(Stop(format!(
                    "{}: postls does not fix tables of aliases(5); nothing was changed",
                    file.shown
                )));
            }
            kinds.push(table.table_type().to_owned());
        }
        kinds.sort();
        kinds.dedup();
        let (indexed, others): (Vec<String>, Vec<String>) =
            kinds.into_iter().partition(|it| TableKind::of(it) == TableKind::Indexed);
        if indexed.is_empty() && others.is_empty() {
            let known = ["lmdb", "cdb", "hash", "dbm"];
            if let Some(kind) = known.iter().find(|it| index::exists(host, it, &path)) {
                return Err(Stop(format!(
                    "{}: it has an index, and main.cf does not say of which type; fix it by hand \
                     and run postmap ({kind}:{0}?); nothing was changed",
                    file.shown
                )));
            }
        }
        let noticed = if others.is_empty() { Noticed::ByItself } else { Noticed::OnReload };
        Ok((indexed.into_iter().filter(|it| index::exists(host, it, &path)).collect(), noticed))
    }

    /// The changes as a patch, but not those of files that hold passwords.
    fn patch(&self, plan: &Plan, said: &mut Vec<String>) -> Vec<u8> {
        let mut shown = plan.clone();
        shown.changes.clear();
        for file in self.files.values().filter(|it| it.old != it.new) {
            match file.secret {
                Secret::Yes => said.push(format!(
                    "{}: it holds passwords, so its changes are not shown",
                    file.shown
                )),
                Secret::No => shown.changes.push(Change::Write {
                    name: file.shown.clone(),
                    kind: None,
                    old: Some(file.old.clone()),
                    new: file.new.clone(),
                }),
            }
        }
        said.extend(self.fixed("would fix"));
        crate::report::plan::patch(&shown)
    }

    /// A line for each file.
    fn fixed<'f>(&'f self, what: &'f str) -> impl Iterator<Item = String> + 'f {
        let changed = self.files.values().filter(|it| it.old != it.new);
        changed.map(move |it| {
            let s = if it.fixed == 1 { "" } else { "s" };
            format!("{what} {} finding{s} in {}", it.fixed, it.shown)
        })
    }
}
