//! `postls man [PAGE]`: manual pages, for `man -l` and for packages.
//!
//! The commands and their options in postls(8) come from the description of the command line; the
//! rest of it, and all of postls.yaml(5), is text in docs/man.

use std::fmt::Write;

use clap::builder::StyledStr;
use clap::{Arg, Args, Command, CommandFactory, ValueEnum};

use super::{Cli, OK, Outcome};

#[derive(Args)]
pub(super) struct Man {
    /// The page
    #[arg(default_value = "postls")]
    page: Page,
}

#[derive(Clone, Copy, ValueEnum)]
enum Page {
    /// postls(8): the commands
    Postls,
    /// postls.yaml(5): the policy file
    #[value(name = "postls.yaml")]
    PostlsYaml,
}

/// The parts of postls(8) that are not about commands and options.
const BEFORE: &str = include_str!("before_commands.man");
const BEHIND: &str = include_str!("behind_commands.man");
const POLICY_FILE: &str = include_str!("../../../docs/man/postls.yaml.5");

impl Man {
    pub(super) fn run(&self) -> Outcome {
        let output = match self.page {
            Page::Postls => program_page(),
            Page::PostlsYaml => POLICY_FILE.to_owned(),
        };
        Outcome { output: output.into_bytes(), status: OK }
    }
}

fn program_page() -> String {
    let program = Cli::command();
    let mut page = BEFORE.to_owned();
    page.push_str(".SH COMMANDS\n");
    add_commands(&mut page, "postls", &program);
    page.push_str(".SH \"OPTIONS OF ALL COMMANDS\"\n");
    add_arguments(&mut page, &program);
    page.push_str(BEHIND);
    page
}

/// Each command, and those below it.
fn add_commands(page: &mut String, above: &str, program: &Command) {
    let is_shown = |it: &&Command| !it.is_hide_set() && it.get_name() != "help";
    for command in program.get_subcommands().filter(is_shown) {
        let full_name = format!("{above} {}", command.get_name());
        let mut command = command.clone().bin_name(&full_name).disable_help_flag(true);
        let usage = command.render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ").replace(" [OPTIONS]", "");
        // Writing to a String cannot fail.
        let _ = writeln!(page, ".SS {}\n{}", quoted(&usage), sentence(command.get_about()));
        let about = command.get_long_about().map(ToString::to_string).unwrap_or_default();
        // The first paragraph is the sentence.
        for paragraph in about.split("\n\n").skip(1) {
            let _ = writeln!(page, ".PP\n{}", escaped(paragraph));
        }
        add_arguments(page, &command);
        add_commands(page, &full_name, &command);
    }
}

fn add_arguments(page: &mut String, command: &Command) {
    for argument in command.get_arguments().filter(|it| !it.is_hide_set()) {
        let _ = writeln!(page, ".TP\n{}\n{}", heading(argument), sentence(argument.get_help()));
        if !argument.get_action().takes_values() {
            continue;
        }
        let defaults = argument.get_default_values().iter();
        let defaults: Vec<_> = defaults.map(|it| it.to_string_lossy()).collect();
        if !defaults.is_empty() {
            let _ = writeln!(page, "Default: {}.", escaped(&defaults.join(" ")));
        }
        let words = argument.get_possible_values();
        for word in words.iter().filter(|it| !it.is_hide_set()) {
            let _ = writeln!(page, ".br\n\\fB{}\\fR", escaped(word.get_name()));
            if let Some(help) = word.get_help() {
                let _ = writeln!(page, "\\(en {}", escaped(&help.to_string()));
            }
        }
    }
}

/// `-c, --config-dir DIR`, or the name of what stands by itself.
fn heading(argument: &Arg) -> String {
    let names = argument.get_value_names().unwrap_or_default().iter();
    let value = names.map(|it| format!("\\fI{}\\fR", escaped(it))).collect::<Vec<_>>().join(" ");
    let short = argument.get_short().map(|it| format!("\\fB\\-{it}\\fR"));
    let long = argument.get_long().map(|it| format!("\\fB\\-\\-{}\\fR", escaped(it)));
    let options = short.into_iter().chain(long).collect::<Vec<_>>().join(", ");
    match (options.is_empty(), argument.get_action().takes_values()) {
        (true, _) => value,
        (false, true) => format!("{options} {value}"),
        (false, false) => options,
    }
}

fn sentence(text: Option<&StyledStr>) -> String {
    let text = text.map(ToString::to_string).unwrap_or_default();
    format!("{}.", escaped(text.trim_end_matches('.')))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text).replace('"', "\\(dq"))
}

/// What troff would read as its own is text.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq");
    if text.starts_with('.') { format!("\\&{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn text_stays_text() {
        assert_eq!(escaped(".B -x \\n 'y'"), "\\&.B \\-x \\en \\(aqy\\(aq");
    }
}
