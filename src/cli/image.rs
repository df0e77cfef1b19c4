//! `--root DIR` of the commands that change something: the image that they change.

use std::path::PathBuf;

use clap::Args;

use super::Stop;
use crate::host::{Host, Rooted, System};

#[derive(Args)]
pub(super) struct Image {
    /// The system below DIR, such as an image that is being built: all names, and links too, are of
    /// that system, and stay in it; only POLICY is a file of this one. Nothing is reloaded
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
}

/// The system that a command is about.
pub(super) enum Place {
    Machine(System),
    Image(Rooted),
}

impl Image {
    /// The system that was asked for.
    pub(super) fn place(&self) -> Result<Place, Stop> {
        let Some(root) = &self.root else { return Ok(Place::Machine(System)) };
        let image = Rooted::new(root);
        image.map(Place::Image).map_err(|error| Stop(format!("--root {}: {error}", root.display())))
    }
}

impl Place {
    /// All that is read and written there.
    pub(super) fn host(&self) -> &(dyn Host + Sync) {
        match self {
            Place::Machine(it) => it,
            Place::Image(it) => it,
        }
    }

    /// Whether a Postfix can run there.
    pub(super) fn can_run(&self) -> bool {
        match self {
            Place::Machine(_) => true,
            Place::Image(_) => false,
        }
    }
}
