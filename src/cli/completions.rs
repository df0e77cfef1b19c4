//! `postls completions SHELL`
//!
//! The scripts ask postls for the names of rules and parameters: so they hold for a newer one too.

use clap::{Args, Command, CommandFactory, ValueEnum, ValueHint};
use clap_complete::Shell as Generator;

use super::{Cli, OK, Outcome};

#[derive(Args)]
pub(super) struct Completions {
    /// The shell that is to read it
    shell: Shell,
}

#[derive(Clone, Copy, ValueEnum)]
enum Shell {
    /// For /usr/share/bash-completion/completions/postls
    Bash,
    /// For a directory in $fpath, as _postls
    Zsh,
    /// For ~/.config/fish/completions/postls.fish
    Fish,
}

impl Completions {
    pub(super) fn run(&self) -> Outcome {
        let output = match self.shell {
            Shell::Bash => generated(Generator::Bash) + BASH,
            // The generator's word for users stands where names are wanted: see `command`.
            Shell::Zsh => generated(Generator::Zsh).replace(":_users'", &format!(":{ZSH}'")),
            Shell::Fish => generated(Generator::Fish) + FISH,
        };
        Outcome { output: output.into_bytes(), status: OK }
    }
}

fn generated(shell: Generator) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), "postls", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

fn command() -> Command {
    // Of the hints that the generator knows this is the one that nothing else here has.
    let hint = |it: clap::Arg| it.value_hint(ValueHint::Username);
    Cli::command().mut_subcommand("explain", |it| it.mut_arg("name", hint))
}

const BASH: &str = r#"
_postls_with_names() {
    _postls "$@"
    if [[ " ${COMP_WORDS[*]:1:COMP_CWORD-1} " == *" explain "* && ${COMP_WORDS[COMP_CWORD]} != -* ]]; then
        COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" explain --names 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
    fi
}
complete -F _postls_with_names -o bashdefault -o default postls
"#;

const ZSH: &str =
    r#"{compadd -- ${(f)"$(_call_program names postls explain --names 2>/dev/null)"}}"#;

const FISH: &str = r#"complete -c postls -n "__fish_postls_using_subcommand explain" -f -a "(postls explain --names 2>/dev/null)"
"#;
