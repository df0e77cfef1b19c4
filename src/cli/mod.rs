//! The command line. Each subcommand is a file; this one holds what they share.

mod allowance;
mod answering;
mod apply;
mod compile;
mod completions;
mod diff;
mod environment;
mod explain;
mod fingerprint;
mod history;
mod image;
mod import;
mod interruption;
mod lint;
mod load;
mod load_again;
mod load_certificates;
mod load_host;
mod load_pins;
mod load_policies;
mod load_policy_file;
mod load_tables;
mod man;
mod pin;
mod planning;
#[cfg(feature = "probe")]
mod probe;
#[cfg(not(feature = "probe"))]
#[path = "no_probe.rs"]
mod probe;
mod progress;
mod publish;
mod query;
mod rollback;
mod schema;
mod show;
mod stored;
mod trusted;

use std::io::{ErrorKind, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::OnceLock;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::apply::Failure;
use crate::postfix::{Build, Version};
use crate::report::Style;

/// Nothing to report; the wanted state holds.
const OK: u8 = 0;
/// Findings, or changes.
const FOUND: u8 = 1;
/// Could not do it; nothing was changed.
const FAILED: u8 = 2;
/// Failed, and everything was put back.
const PUT_BACK: u8 = 3;
/// Failed, and not everything could be put back.
const STUCK: u8 = 4;
/// `apply --detailed-exitcode`: something was changed.
const CHANGED: u8 = 10;

/// Says what Postfix will really do with its TLS configuration, and changes it safely.
///
/// Exit status: 0 nothing to report, 1 findings or changes, 2 could not do it and nothing was
/// changed, 3 apply failed and everything was put back, 4 it could not be put back.
#[derive(Parser)]
#[command(name = "postls", version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct Common {
    /// The configuration directory; default: $MAIL_CONFIG, else /etc/postfix
    #[arg(short, long, value_name = "DIR", global = true)]
    config_dir: Option<PathBuf>,
    /// The oldest Postfix that the files must work on, such as 3.7
    #[arg(long, value_name = "VERSION", global = true, value_parser = version)]
    postfix: Option<Version>,
    /// When to use colours
    #[arg(long, value_name = "WHEN", global = true, default_value = "auto")]
    color: Color,
    /// Print findings and results only
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Say on standard error which files are read
    #[arg(short, long, global = true)]
    verbose: bool,
    /// Not an argument: what the first reader finds out for all.
    #[arg(skip)]
    at_hand: OnceLock<Option<Build>>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    Always,
    Never,
}

#[derive(Subcommand)]
enum Command {
    /// Find what Postfix will refuse, ignore or defer
    Lint(lint::Lint),
    /// Print the TLS policy table that the policy file describes
    Compile(compile::Compile),
    /// Show what apply would change
    Diff(diff::Diff),
    /// Make the configuration what the policy file says
    Apply(apply::Apply),
    /// Go back to what files were before postls changed them
    Rollback(rollback::Rollback),
    /// List what postls has changed, when and why
    History(history::History),
    /// Write the policy file for a configuration that is there
    Import(import::Import),
    /// Say which TLS policy applies to a next-hop destination, and why
    Query(query::Query),
    /// Connect to servers as Postfix would, and judge what they show by the policies in force
    Probe(Box<probe::Probe>),
    /// List the pins of destinations, say what has to be done about them, add and retire them
    Pin(pin::Pin),
    /// Print the fingerprints of certificates and keys, as Postfix compares them
    Fingerprint(fingerprint::Fingerprint),
    /// Print what partners need to know of this host's keys: fingerprints and TLSA records
    Publish(publish::Publish),
    /// Print what was understood, as postconf does
    Show(show::Show),
    /// Print the page of a rule, or what is known of a parameter
    Explain(explain::Explain),
    /// List all rules
    Rules,
    /// Print a script that completes command lines
    Completions(completions::Completions),
    /// Print a manual page
    Man(man::Man),
    /// Print the JSON Schema of an output or of the policy file
    Schema(schema::Schema),
}

/// Why a command could not do its work; printed on standard error.
struct Stop(String);

/// What a command printed, and its exit status.
struct Outcome {
    output: Vec<u8>,
    status: u8,
}

/// Runs the program with the arguments of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match &cli.command {
        Command::Lint(it) => it.run(&cli.common),
        Command::Compile(it) => it.run(&cli.common),
        Command::Diff(it) => it.run(&cli.common),
        Command::Apply(it) => Ok(it.run(&cli.common)),
        Command::Rollback(it) => it.run(&cli.common),
        Command::History(it) => it.run(&cli.common),
        Command::Import(it) => it.run(&cli.common),
        Command::Query(it) => it.run(&cli.common),
        Command::Probe(it) => it.run(&cli.common),
        Command::Pin(it) => it.run(&cli.common),
        Command::Fingerprint(it) => it.run(&cli.common),
        Command::Publish(it) => it.run(&cli.common),
        Command::Show(it) => it.run(&cli.common),
        Command::Explain(it) => it.run(&cli.common),
        Command::Rules => Ok(explain::list()),
        Command::Completions(it) => Ok(it.run()),
        Command::Man(it) => Ok(it.run()),
        Command::Schema(it) => it.run(),
    };
    match result {
        Ok(outcome) => {
            let mut stdout = std::io::stdout().lock();
            let written = stdout.write_all(&outcome.output).and_then(|()| stdout.flush());
            match written {
                // A reader that closes the pipe has seen enough.
                Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                    complain(&format!("standard output: {error}"));
                    // Files are what the status says they are, whether or not that could be read.
                    match &cli.command {
                        Command::Apply(_) | Command::Rollback(_) => ExitCode::from(outcome.status),
                        _ => ExitCode::from(FAILED),
                    }
                }
                _ => ExitCode::from(outcome.status),
            }
        }
        Err(Stop(why)) => {
            complain(&why);
            ExitCode::from(FAILED)
        }
    }
}

/// The exit status for a plan that was not made true.
fn failed(failure: &Failure) -> u8 {
    match failure {
        Failure::Refused(_) | Failure::Stale(_) => FAILED,
        Failure::PutBack(_) => PUT_BACK,
        Failure::Stuck { .. } => STUCK,
    }
}

/// Prints a message for people on standard error.
fn complain(text: &str) {
    let text: Vec<String> = text.lines().map(crate::report::human::printable).collect();
    let _ = writeln!(std::io::stderr(), "postls: {}", text.join("\n"));
}

/// All of standard input.
fn standard_input() -> Result<Vec<u8>, Stop> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(u64::from(u32::MAX) - 1).read_to_end(&mut bytes);
    read.map_err(|error| Stop(format!("standard input: {error}")))?;
    Ok(bytes)
}

impl Common {
    fn directory(&self) -> PathBuf {
        self.named_directory().unwrap_or_else(|| PathBuf::from("/etc/postfix"))
    }

    /// The directory, where one is named.
    fn named_directory(&self) -> Option<PathBuf> {
        let environment = || std::env::var_os("MAIL_CONFIG").map(PathBuf::from);
        self.config_dir.clone().or_else(environment).filter(|it| !it.as_os_str().is_empty())
    }

    fn style(&self) -> Style {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .find_map(|it| std::env::var(it).ok().filter(|it| !it.is_empty()));
        let plain = std::env::var_os("NO_COLOR").is_some_and(|it| !it.is_empty());
        let terminal = std::io::stdout().is_terminal();
        Style {
            links: terminal && shows_links(std::env::var("TERM").ok().as_deref()),
            color: match self.color {
                Color::Auto => terminal && !plain,
                Color::Always => true,
                Color::Never => false,
            },
            unicode: locale
                .is_some_and(|it| it.to_ascii_uppercase().replace('-', "").contains("UTF8")),
            quiet: self.quiet,
        }
    }
}

/// Whether a terminal of this type hides what it does not understand of a link.
fn shows_links(term: Option<&str>) -> bool {
    term.is_some_and(|it| !["", "dumb", "linux"].contains(&it))
}

fn version(text: &str) -> Result<Version, String> {
    match Version::parse(text) {
        Some(version) if version >= Version::OLDEST => Ok(version),
        _ => Err(format!("give a Postfix version from {}, such as 3.7", Version::OLDEST)),
    }
}

#[cfg(test)]
mod tests {
    use super::shows_links;

    #[test]
    fn only_terminals_that_hide_links_get_them() {
        let terms = [None, Some(""), Some("dumb"), Some("linux"), Some("xterm-256color")];
        assert_eq!(terms.map(shows_links), [false, false, false, false, true]);
    }
}
