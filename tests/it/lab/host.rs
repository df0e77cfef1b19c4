//! Makes what an example says of its host true in a lab.

use super::Lab;
use crate::host_part::{Said, parse};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// To be called when all files are there and postmap has run.
pub(super) fn make_true(lab: &Lab, text: &str) {
    for said in parse(text) {
        match said {
            Said::Missing(path) => match place(lab, path) {
                Some(path) => drop(fs::remove_file(path)),
                None => assert!(!is_there(lab, path), "{path} is there, and not the lab's"),
            },
            Said::Minutes(path, minutes) => {
                let age = Duration::from_secs(60 * u64::try_from(minutes).expect("an age"));
                let file = fs::File::options().append(true).open(own(lab, path));
                let file = file.unwrap_or_else(|error| panic!("{path}: {error}"));
                file.set_modified(SystemTime::now() - age).expect("it is ours");
            }
            Said::Mode(path, mode) => {
                fs::set_permissions(own(lab, path), fs::Permissions::from_mode(mode))
                    .unwrap_or_else(|error| panic!("{path}: {error}"));
            }
            Said::BelongsTo(path, name) => {
                let user = if name == "postfix" {
                    lab.postfix.mail_owner
                } else {
                    crate::host_part::user_id(name)
                };
                chown(own(lab, path), Some(user), None)
                    .unwrap_or_else(|error| panic!("{path}: {error}"));
            }
            // Names that no host has are chosen for the first two, and Postfix obeys what it finds
            // of the others: only rules that are no errors ask for them.
            Said::NoUser(_) | Said::NoGroup(_) | Said::OtherRows(_) | Said::Differs(..) => {}
        }
    }
}

fn own(lab: &Lab, path: &str) -> PathBuf {
    place(lab, path).unwrap_or_else(|| panic!("{path} is not the lab's"))
}

/// Where a path of an example is in the lab; `None`: it is one of the machine.
fn place(lab: &Lab, path: &str) -> Option<PathBuf> {
    let placed = lab.placed(path.as_bytes());
    let placed = PathBuf::from(String::from_utf8(placed).expect("it is text"));
    placed.starts_with(lab.directory.path()).then_some(placed)
}

fn is_there(lab: &Lab, path: &str) -> bool {
    let root = lab.postfix.root.as_deref().unwrap_or(Path::new("/"));
    path.starts_with('/') && root.join(path.trim_start_matches('/')).exists()
}
