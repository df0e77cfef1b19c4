//! Which Postfix the files are read for.

use crate::host::Host;
use crate::postfix::{Build, Version};

/// The version that somebody wants, with the name of who does; else the one at
/// hand; else the newest one known. And why that one.
pub(super) fn build(
    at_hand: Option<Build>,
    wanted: Option<(Version, &'static str)>,
) -> (Build, &'static str) {
    match (wanted, at_hand) {
        (Some((version, who)), Some(build)) => (build.in_version(version), who),
        (Some((version, who)), None) => (Build::of_version(version), who),
        (None, Some(build)) => (build, "the one installed here"),
        (None, None) => (Build::of_version(Version::NEWEST), "the newest one known"),
    }
}

/// The Postfix of this host. Its program says which it is, which costs less than to run it; a
/// script in its place does not.
pub(super) fn at_hand(host: &dyn Host) -> Option<Build> {
    let program = host.program("postconf").ok()?;
    Build::of_program(&program).or_else(|| {
        let ran =
            host.run("postconf", &["-d", "-h", "mail_version"].map(AsRef::as_ref), b"").ok()?;
        let full_version = String::from_utf8_lossy(&ran.stdout).trim().to_owned();
        let version = Version::parse(&full_version)?;
        Some(Build { full_version, ..Build::of_version(version) })
    })
}
