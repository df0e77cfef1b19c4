//! Whether a Postfix runs with a configuration directory, and telling it to reload.
//!
//! `postfix status` looks at the queue directory only, which a copy of a
//! configuration shares with the original: reloading for a copy would disturb
//! the mail server of this machine. So the running master is asked which
//! configuration it was started with.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::host::Host;

/// Whether a Postfix runs with a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Running {
    Yes,
    No,
    /// It cannot be told, and why.
    Unknown(String),
}

/// Asks the process that the queue directory names, by its environment
/// (`master` inherits MAIL_CONFIG from postfix(1); /proc is Linux's).
pub(super) fn state(host: &dyn Host, directory: &Path) -> Running {
    let arguments =
        ["-c".as_ref(), directory.as_os_str(), "-hx".as_ref(), "queue_directory".as_ref()];
    let queue = match host.run("postconf", &arguments, b"") {
        Ok(ran) if ran.success => String::from_utf8_lossy(&ran.stdout).trim().to_owned(),
        // No Postfix, nothing that could run.
        Ok(_) | Err(_) => return Running::No,
    };
    let pid_file = Path::new(&queue).join("pid/master.pid");
    let pid = match host.read(&pid_file) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).trim().to_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Running::No,
        Err(error) => return Running::Unknown(format!("{}: {error}", pid_file.display())),
    };
    let process = Path::new("/proc").join(&pid);
    if pid.is_empty() || !pid.bytes().all(|it| it.is_ascii_digit()) || !host.exists(&process) {
        return Running::No;
    }
    let environment = match host.read(&process.join("environ")) {
        Ok(environment) => environment,
        Err(error) => {
            return Running::Unknown(format!("{}: {error}", process.join("environ").display()));
        }
    };
    let config =
        environment.split(|byte| *byte == 0).find_map(|it| it.strip_prefix(b"MAIL_CONFIG="));
    let config = config.map_or("/etc/postfix".into(), String::from_utf8_lossy);
    let same = |path: &Path| host.resolve(path).unwrap_or_else(|_| path.to_owned());
    if same(&PathBuf::from(&*config)) == same(directory) { Running::Yes } else { Running::No }
}

/// `postfix reload`.
pub(super) fn reload(host: &dyn Host, directory: &Path) -> Result<(), String> {
    let arguments = [OsStr::new("-c"), directory.as_os_str(), OsStr::new("reload")];
    match host.run("postfix", &arguments, b"") {
        Ok(ran) if ran.success => Ok(()),
        Ok(ran) => Err(format!("postfix reload: {}", ran.stderr)),
        Err(error) => Err(format!("postfix reload: {error}")),
    }
}
