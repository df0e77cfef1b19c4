//! Programs of others that the tests start: those of Python in the environment that `tests/run` makes
//! (`POSTLS_TOOLS`, by default `~/.cache/postls/tools/bin`), the others in PATH.
//!
//! With `POSTLS_REQUIRE_TOOLS` a missing one is a failure.

use std::path::PathBuf;
use std::process::Command;

/// A command for a program, if it is at hand.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let found = find_installed(program);
    if found.is_none() {
        let required = std::env::var_os("POSTLS_REQUIRE_TOOLS").is_some();
        assert!(!required, "POSTLS_REQUIRE_TOOLS is set, and {program} is not at hand");
    }
    found
}

/// The same for a program that nobody is asked to have: it is too large, or would run as a service.
pub(crate) fn find_installed(program: &str) -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|it| PathBuf::from(it).join(".cache"));
    let cache = || std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
    let tools = std::env::var_os("POSTLS_TOOLS")
        .map(PathBuf::from)
        .or_else(|| cache().map(|it| it.join("postls/tools/bin")));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = tools
        .into_iter()
        .chain(std::env::split_paths(&path))
        .map(|it| it.join(program))
        .find(|it| it.is_file() && starts(it));
    if found.is_none() {
        println!("skipped: {program} is not at hand");
    }
    found
}

/// A file may be there whose interpreter is not, as in a private root. What it says of `--version`
/// does not matter.
fn starts(program: &PathBuf) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}
