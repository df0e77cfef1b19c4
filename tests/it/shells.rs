//! Completions and manual pages, as the programs take them that read them.

use std::path::Path;
use std::process::Command;

use crate::repository::said;
use crate::tools;

/// What a shell says to a script, with postls in its PATH.
fn run(shell: &Path, script: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_postls"));
    let path = format!("{}:/usr/bin:/bin", program.parent().expect("a folder").display());
    let mut command = Command::new(shell);
    command
        .args(["-c", script])
        .env_clear()
        .env("PATH", path)
        .env("LC_ALL", "C.UTF-8")
        .env("TERM", "dumb");
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let (status, words, complaint) =
        said(&command.env("HOME", scratch.path()).output().expect("it starts"));
    assert_eq!((status, complaint.as_str()), (Some(0), ""), "{script}\n{words}");
    words
}

#[test]
fn bash_completes() {
    let Some(bash) = tools::find("bash") else { return };
    let complete = |words: &str| {
        let script = format!(
            "source completions/postls.bash; COMP_WORDS=(postls {words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
            _postls_with_names postls \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"
            echo \"${{COMPREPLY[@]}}\""
        );
        run(&bash, &script).trim().to_owned()
    };
    assert_eq!(complete("li"), "lint");
    assert_eq!(complete("lint --stag"), "--staged");
    assert_eq!(complete("lint --fail-on w"), "warning");
    assert_eq!(complete("explain inline-c"), "inline-comment");
    assert_eq!(complete("explain smtp_tls_fingerprint_d"), "smtp_tls_fingerprint_digest");
    assert_eq!(complete("explain --po"), "--postfix");
    run(&bash, "bash -n completions/postls.bash");
}

#[test]
fn fish_completes() {
    let Some(fish) = tools::find("fish") else { return };
    let complete = |line: &str| {
        let words = run(&fish, &format!("source completions/postls.fish; complete -C '{line}'"));
        words.lines().filter_map(|it| it.split('\t').next()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(complete("postls li"), "lint");
    assert_eq!(complete("postls lint --stag"), "--staged");
    assert_eq!(complete("postls lint --fail-on w"), "warning");
    assert_eq!(complete("postls explain inline-c"), "inline-comment");
    assert_eq!(complete("postls explain smtp_tls_fingerprint_d"), "smtp_tls_fingerprint_digest");
}

#[test]
fn zsh_completes() {
    let Some(zsh) = tools::find("zsh") else { return };
    // It completes at a terminal only. What it waits for there is what is to be seen.
    for (line, completed) in [
        ("postls li", "lint"),
        ("postls lint --stag", "--staged"),
        ("postls explain inline-c", "inline-comment"),
        ("postls explain smtp_tls_fingerprint_d", "smtp_tls_fingerprint_digest"),
    ] {
        let script = format!(
            "zmodload zsh/zpty; zpty shell timeout --foreground 20 zsh -f -i
            zpty -w shell 'PS1=; fpath=($PWD/completions $fpath); autoload -Uz compinit; compinit -D -u; print rea\"\"dy'
            zpty -r shell seen '*ready*' && zpty -n -w shell $'{line}\\t' && zpty -r shell seen '*{completed}*'"
        );
        run(&zsh, &script);
    }
    run(&zsh, "zsh -n completions/_postls");
}

#[test]
fn manual_pages_are_without_warnings() {
    let pages = ["docs/man/postls.8", "docs/man/postls.yaml.5"];
    if let Some(mandoc) = tools::find("mandoc") {
        let mut command = Command::new(mandoc);
        let (_, warnings, _) = said(
            &command.args(["-T", "lint", "-W", "warning"]).args(pages).output().expect("it starts"),
        );
        assert_eq!(warnings, "");
    }
    if let Some(groff) = tools::find("groff") {
        for page in pages {
            let mut command = Command::new(&groff);
            let (_, text, warnings) =
                said(&command.args(["-ww", "-man", "-Tascii", page]).output().expect("it starts"));
            assert_eq!(warnings, "");
            assert!(text.len() > 1000);
        }
    }
}
