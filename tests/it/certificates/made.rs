//! The files that make.sh makes, once for all tests of a run.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

/// The directory with all of them.
pub(super) fn directory() -> &'static Path {
    static MADE: OnceLock<TempDir> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let script = include_str!("make.sh");
        let mut command = Command::new("sh");
        command.args(["-e", "-c", script]).current_dir(directory.path());
        let output = command.output().expect("sh runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        directory
    });
    made.path()
}

/// The bytes of one of them.
pub(super) fn bytes(name: &str) -> Vec<u8> {
    fs::read(directory().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The text of one of them.
pub(super) fn text(name: &str) -> String {
    String::from_utf8(bytes(name)).expect("PEM is text")
}

/// All certificates, by their names.
pub(super) fn certificates() -> Vec<String> {
    let entries = fs::read_dir(directory()).expect("it is ours");
    let names = entries.map(|it| it.expect("an entry").file_name().into_string().expect("a name"));
    let mut names: Vec<String> =
        names.filter(|it| it.split('.').next_back() == Some("crt")).collect();
    names.sort();
    names
}

/// What the openssl program prints, run among the files.
pub(super) fn openssl(arguments: &[&str]) -> String {
    let output = Command::new("openssl").args(arguments).current_dir(directory()).output();
    String::from_utf8_lossy(&output.expect("openssl runs").stdout).into_owned()
}
