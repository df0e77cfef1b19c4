//! From where those who show a repository count the paths of its files: from its root, wherever
//! in it lint was started.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::cli::load::{Loaded, Request, resolved};
use crate::host::Host;
use crate::report::Root;

/// Where the files of a directory are.
pub(super) struct Place {
    /// What their names are relative to; `None`: the current directory.
    directory: Option<PathBuf>,
    /// The policy files that are named in another way.
    elsewhere: HashMap<String, PathBuf>,
}

impl Place {
    /// Of what was read for a request.
    pub(super) fn of(request: &Request<'_>, loaded: &Loaded) -> Place {
        let alone = request.shown_in.as_os_str().is_empty();
        let mut elsewhere = HashMap::new();
        for policy in loaded.policy.iter().filter(|_| alone) {
            // A plan names them by their places, lint as they were given.
            for (source, input) in policy.sources.iter().zip(&policy.inputs) {
                let name = loaded.sources.source(*source).name();
                if name != input.name {
                    elsewhere.insert(name.to_owned(), PathBuf::from(&input.name));
                }
            }
        }
        Place { directory: alone.then(|| request.directory.clone()), elsewhere }
    }
}

/// The root of the repository that the current directory is in, else that directory itself.
pub(super) fn of<'a>(host: &dyn Host, mut places: impl Iterator<Item = &'a Place>) -> Root {
    let here = resolved(host, &std::env::current_dir().unwrap_or_default());
    let is_root = |it: &&Path| host.exists(&it.join(".git"));
    let repository = here.ancestors().find(is_root).unwrap_or(&here).to_owned();
    let first = places.next();
    let directory = first.and_then(|it| it.directory.clone()).unwrap_or(here);
    Root {
        repository,
        directory,
        elsewhere: first.map(|it| it.elsewhere.clone()).unwrap_or_default(),
    }
}
