//! What is kept of a plan for those who ask later why it was made true.

use serde::{Deserialize, Serialize};

/// What `history` says of a plan beside its files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// What asks for less afterwards, each allowed by the one who ran the command.
    pub downgrades: Vec<Downgrade>,
    /// The reason that the command line gives.
    pub reason: Option<String>,
}

/// A destination for which less is asked afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Downgrade {
    /// The key of its row; `None`: all destinations that no row speaks of.
    pub destination: Option<String>,
    /// What held before, in words: `secure`, `encrypt protocols=>=TLSv1.2`.
    pub from: String,
    /// What holds afterwards, in the same words.
    pub to: String,
    /// The fingerprints that it loses.
    pub pins_removed: Vec<String>,
    /// Who answers for it, as the policy file says.
    pub owner: Option<String>,
    /// Why it is so, as the policy file says.
    pub reason: Option<String>,
}
