//! `postls probe` in a build that makes no connections: says so, and how to get it.

use clap::Args;

use super::{Common, Outcome, Stop};

#[derive(Args)]
pub(super) struct Probe {
    /// Whatever the command takes in other builds
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    arguments: Vec<String>,
}

impl Probe {
    pub(super) fn run(&self, _: &Common) -> Result<Outcome, Stop> {
        let asked = self.arguments.first().map(|it| format!(" {it}")).unwrap_or_default();
        Err(Stop(format!("probe{asked}: {WHY}")))
    }
}

/// What it says.
const WHY: &str = "this postls was built without the feature \"probe\": it makes no connections and asks no name \
    servers, so it cannot say what a server does today; `cargo install --path . --features probe`, with OpenSSL's \
    headers at hand, builds one that does; `postls query` says what the policies ask for";

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::cli::{Cli, Command};

    #[test]
    fn a_build_without_it_says_what_it_cannot_do_and_how_to_get_it() {
        let cli = Cli::parse_from(["postls", "probe", "--format", "json", "a.example"]);
        let Command::Probe(probe) = &cli.command else { panic!("it is this command") };
        let why = probe.run(&cli.common).err().map(|it| it.0).unwrap_or_default();
        assert!(why.contains("makes no connections") && why.contains("--features probe"), "{why}");
    }
}
