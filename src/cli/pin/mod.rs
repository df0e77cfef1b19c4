//! `postls pin`: which keys servers may have, and how one follows another without an outage.

mod add;
mod change;
mod retire;
mod shown;

#[cfg(feature = "probe")]
pub(super) use add::{Add, fingerprint};

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Common, Outcome, Stop};
use crate::certificate::Of;
use crate::policy::{Date, Nexthop};
use crate::text::shortened;

#[derive(Args)]
pub(super) struct Pin {
    #[command(subcommand)]
    command: Command,
    /// The policy file; default: postls.yaml in the configuration directory
    #[arg(long, value_name = "POLICY", global = true)]
    policy: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// List pins: fingerprints, where they stand, dates, notes
    List(shown::List),
    /// Say what has to be done about pins, the most pressing first
    ///
    /// A destination is overdue if a pin's day to go has come, or if each pin that should still be
    /// there is of a certificate that has ended: the server will have another one, and mail to it
    /// waits. The end of a certificate is known of pins with a pem file.
    ///
    /// The first line of each destination says how it is: OVERDUE, DUE or OK. With --quiet there
    /// are no others. Exit status: 0 nothing is overdue, 1 something is.
    Status(shown::Status),
    /// Add a pin to the policy file; apply puts it in force
    ///
    /// Every other byte of the file stays as it is. A pin that is there already is not added again.
    Add(add::Add),
    /// Say in the policy file from which day on a pin should be gone, or take it out
    ///
    /// A pin that should be gone counts until it is taken out: status and lint speak of it. The
    /// last pin is never taken out.
    Retire(retire::Retire),
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// For programs: postls/pins/v1
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WhatOf {
    /// The public key: it may outlast a renewal of the certificate
    PublicKey,
    /// The certificate: the pin must change whenever it is renewed
    Certificate,
}

impl From<WhatOf> for Of {
    fn from(it: WhatOf) -> Of {
        match it {
            WhatOf::PublicKey => Of::PublicKey,
            WhatOf::Certificate => Of::Certificate,
        }
    }
}

impl Pin {
    pub(super) fn run(&self, common: &Common) -> Result<Outcome, Stop> {
        let policy = self.policy.as_deref();
        match &self.command {
            Command::List(it) => it.run(common, policy),
            Command::Status(it) => it.run(common, policy),
            Command::Add(it) => it.run(common, policy),
            Command::Retire(it) => it.run(common, policy),
        }
    }
}

/// For clap: a destination as Postfix has it.
pub(super) fn nexthop(text: &str) -> Result<Nexthop, String> {
    Nexthop::parse(text).map_err(|why| why.to_string())
}

/// For clap: a day.
fn date(text: &str) -> Result<Date, String> {
    let why = || format!("\"{}\" is no date; write it as 2027-01-31", shortened(text));
    Date::parse(text).ok_or_else(why)
}
