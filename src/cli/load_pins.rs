//! The files that pins of a policy file name: certificates and keys of other hosts.
//!
//! They are no sources: nothing is found in them, only where the policy file names them.

use std::collections::HashSet;
use std::path::Path;

use super::load::{Loader, Whose, name_in, why_unread};
use crate::plan::{self, Base};
use crate::policy::yaml;

/// What was read of them.
#[derive(Default)]
pub(super) struct Pinned {
    /// Each file once, as a plan names it.
    pub(super) inputs: Vec<Base>,
    seen: HashSet<String>,
}

impl Pinned {
    /// Reads those that a policy file names, which stands in `folder`.
    pub(super) fn read(&mut self, loader: &Loader<'_>, file: &mut yaml::File, folder: &Path) {
        file.read_pins(&mut |path| {
            let path = folder.join(path);
            if loader.policy_of() == Whose::Machines {
                return loader.policy_host().read(&path).map_err(|it| why_unread(&it));
            }
            let path = loader.in_copy(&path).unwrap_or(path);
            let name = name_in(&loader.request.directory, &path);
            let bytes = match loader.request.instead.get(&name) {
                Some(bytes) => bytes.clone(),
                None => loader.host.read(&path).map_err(|it| why_unread(&it))?,
            };
            if self.seen.insert(name.clone()) {
                self.inputs.push(plan::base(&name, Some(&bytes)));
            }
            Ok(bytes)
        });
    }
}
