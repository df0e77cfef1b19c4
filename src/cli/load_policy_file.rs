//! Reads the policy file with what it includes: of the host that is looked at, or, where that is an
//! image, of this machine.

use std::path::Path;

use super::Stop;
use super::load::{Loader, POLICY_FILE, PolicyFile, Whose, name_in, parent, read, resolved};
use super::load_pins::Pinned;
use crate::host::{Host, System};
use crate::plan::{self, Base};
use crate::policy::yaml::{self, Role};
use crate::policy::{self, Problem};
use crate::report::human::printable;
use crate::text::SourceId;

impl Loader<'_> {
    /// The policy file with what it includes, if there is one.
    pub(super) fn policy(&mut self) -> Result<Option<PolicyFile>, Stop> {
        let directory = &self.request.directory;
        let given = self.request.policy.map_or_else(|| directory.join(POLICY_FILE), Path::to_owned);
        let path = match self.request.policy {
            Some(given) => resolved(self.policy_host(), parent(given))
                .join(given.file_name().unwrap_or_default()),
            None => given.clone(),
        };
        let name = self.inside(&path).unwrap_or(&given).to_string_lossy().into_owned();
        if self.request.policy.is_none()
            && !self.request.instead.contains_key(POLICY_FILE)
            && !self.host.exists(&path)
        {
            return Ok(None);
        }
        let source = self.read_policy(&path, &name)?;
        let mut main = yaml::read(source, self.sources.source(source).bytes(), Role::Main);
        let mut pinned = Pinned::default();
        pinned.read(self, &mut main, parent(&path));
        let includes = main.includes.clone();
        let mut files = vec![main];
        let mut sources = vec![source];
        let mut inputs = Vec::from_iter(self.base(source, &path));
        let parent_of_policy = parent(&path);
        let mut refused = Vec::new();
        for include in includes {
            let mut refuse = |text: String| {
                let help = "names are relative to the policy file; * stands for any letters";
                refused.push(Problem {
                    kind: policy::ProblemKind::Value,
                    span: include.span,
                    text,
                    related: None,
                    help: Some(help.to_owned()),
                });
            };
            // Relative to the file that says so.
            let folder = glob::Pattern::escape(&parent_of_policy.to_string_lossy());
            let pattern = Path::new(&folder).join(&include.value);
            let paths = match self.policy_host().matching(&pattern.to_string_lossy()) {
                Ok(paths) if paths.is_empty() => {
                    refuse(format!("no file has the name \"{}\"", include.value));
                    continue;
                }
                Ok(paths) => paths,
                Err(error) => {
                    refuse(error.to_string());
                    continue;
                }
            };
            for path in paths {
                let name = match (self.inside(&path), path.strip_prefix(parent_of_policy)) {
                    (Some(inside), _) => inside.to_owned(),
                    (None, Ok(beside)) => parent(&given).join(beside),
                    (None, Err(_)) => path.clone(),
                };
                let name = name.to_string_lossy();
                match self.read_policy(&path, &name) {
                    Ok(source) => {
                        let bytes = self.sources.source(source).bytes();
                        let mut file = yaml::read(source, bytes, Role::Included);
                        pinned.read(self, &mut file, parent(&path));
                        files.push(file);
                        sources.push(source);
                        inputs.extend(self.base(source, &path));
                    }
                    Err(Stop(why)) => refuse(why),
                }
            }
        }
        inputs.extend(pinned.inputs);
        let (policies, mut problems) = policy::join(files);
        problems.extend(refused);
        // It goes into the table's header: a line end in it would begin a row.
        let short_name = match self.inside(&path) {
            Some(_) => name.clone(),
            None => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        };
        let short_name = printable(&short_name);
        Ok(Some(PolicyFile { policies, problems, sources, inputs, short_name }))
    }

    /// The policy file, or one that it includes.
    fn read_policy(&mut self, path: &Path, name: &str) -> Result<SourceId, Stop> {
        match self.policy_of() {
            Whose::Hosts => self.read(path, name),
            Whose::Machines => {
                let bytes = read(&System, path)?;
                Ok(self.add(path, name, bytes))
            }
        }
    }

    /// Whose the policy file is, and what it names.
    pub(super) fn policy_of(&self) -> Whose {
        match self.request.policy {
            Some(_) => self.request.policy_of,
            None => Whose::Hosts,
        }
    }

    /// The host that has the policy file, and what it names.
    pub(super) fn policy_host(&self) -> &dyn Host {
        match self.policy_of() {
            Whose::Hosts => self.host,
            Whose::Machines => &System,
        }
    }

    /// The name of a file of the policy relative to the configuration directory, if it stands in it.
    fn inside<'p>(&self, path: &'p Path) -> Option<&'p Path> {
        match self.policy_of() {
            Whose::Hosts => path.strip_prefix(&self.request.directory).ok(),
            Whose::Machines => None,
        }
    }

    /// A file that a plan depends on: by its absolute path where it is not in the directory.
    fn base(&self, source: SourceId, path: &Path) -> Option<Base> {
        let name = name_in(&self.request.directory, path);
        let base = || plan::base(&name, Some(self.sources.source(source).bytes()));
        (self.policy_of() == Whose::Hosts).then(base)
    }
}
