//! Whether a Postfix runs with a configuration directory, telling it to reload, and watching what
//! becomes of it.
//!
//! `postfix status` looks at the queue directory only, which a copy of a
//! configuration shares with the original: reloading for a copy would disturb
//! the mail server of this machine. So the running master is asked which
//! configuration it was started with.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::host::Host;

/// How often a reloaded Postfix is looked at, at most.
const LOOKS: usize = 60;
const PAUSE: Duration = Duration::from_millis(100);
/// So many looks in a row must find the queue manager alive: a daemon that dies of what it reads takes a
/// second for it.
const ALIVE: usize = 20;
/// Of the log before the reload, so much is read: what was said there already is not news.
const TAIL: u64 = 256 << 10;

/// Whether a Postfix runs with a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Running {
    Yes(Master),
    No,
    /// It cannot be told, and why.
    Unknown(String),
}

/// A running master(8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Master {
    /// Its place below /proc.
    process: PathBuf,
    /// Its number.
    pid: String,
    /// The queue managers that it had at first, by number; empty also where they cannot be seen.
    managers: BTreeSet<String>,
}

/// A parameter's value; `None`: there is no Postfix that could say it.
fn setting(host: &dyn Host, directory: &Path, name: &str) -> Option<String> {
    let arguments = ["-c".as_ref(), directory.as_os_str(), "-hx".as_ref(), name.as_ref()];
    let ran = host.run("postconf", &arguments, b"").ok()?;
    ran.success.then(|| String::from_utf8_lossy(&ran.stdout).trim().to_owned())
}

/// Asks the process that the queue directory names, by its environment
/// (`master` inherits MAIL_CONFIG from postfix(1); /proc is Linux's).
pub(super) fn state(host: &dyn Host, directory: &Path) -> Running {
    let Some(queue) = setting(host, directory, "queue_directory") else { return Running::No };
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
    if same(&PathBuf::from(&*config)) != same(directory) {
        return Running::No;
    }
    let managers = queue_managers(host, &process, &pid);
    Running::Yes(Master { process, pid, managers })
}

/// `postfix reload`, and a look at what it does to the daemons.
pub(super) fn reload(host: &dyn Host, directory: &Path, master: &Master) -> Result<(), String> {
    let log = Log::open(host, directory);
    command(host, directory, "reload")?;
    watch(host, master, log.as_ref())
}

/// After a failure, with the old files in their places: a master that has died of the new ones is
/// started again. So is one whose queue manager has died: master(8) would not start that one for
/// `service_throttle_time`, also after a reload, and no mail would move.
pub(super) fn bring_back(host: &dyn Host, directory: &Path, master: &Master) -> Result<(), String> {
    if master.is_alive(host) {
        command(host, directory, "reload")?;
    }
    let mut alive = 0;
    for _ in 0..LOOKS {
        host.sleep(PAUSE);
        if !master.is_alive(host) {
            return command(host, directory, "start");
        }
        let is_there = master.managers.is_empty() || !master.managers_now(host).is_empty();
        alive = if is_there { alive + 1 } else { 0 };
        if alive >= ALIVE {
            return Ok(());
        }
    }
    command(host, directory, "stop")?;
    command(host, directory, "start")
}

fn command(host: &dyn Host, directory: &Path, what: &str) -> Result<(), String> {
    let arguments = [OsStr::new("-c"), directory.as_os_str(), OsStr::new(what)];
    match host.run("postfix", &arguments, b"") {
        Ok(ran) if ran.success => Ok(()),
        Ok(ran) => Err(format!("postfix {what}: {}", ran.stderr)),
        Err(error) => Err(format!("postfix {what}: {error}")),
    }
}

/// Until a new queue manager has lived for a while: master(8) starts one at once, and it reads all that
/// other daemons read of main.cf at their start.
fn watch(host: &dyn Host, master: &Master, log: Option<&Log<'_>>) -> Result<(), String> {
    let mut alive = 0;
    for _ in 0..LOOKS {
        host.sleep(PAUSE);
        if let Some(said) = log.and_then(Log::complaint) {
            return Err(format!("after the reload a daemon died: {said}"));
        }
        if !master.is_alive(host) {
            return Err("after the reload master(8) died".to_owned());
        }
        let now = master.managers_now(host);
        alive = if now.iter().any(|it| !master.managers.contains(it)) { alive + 1 } else { 0 };
        if alive >= ALIVE {
            return Ok(());
        }
    }
    if master.managers.is_empty() || !master.managers_now(host).is_empty() {
        return Ok(());
    }
    Err("after the reload no queue manager runs".to_owned())
}

impl Master {
    fn is_alive(&self, host: &dyn Host) -> bool {
        // A dead one that nobody has waited for has no memory any more.
        host.read(&self.process.join("statm")).is_ok_and(|it| !it.starts_with(b"0 "))
    }

    fn managers_now(&self, host: &dyn Host) -> BTreeSet<String> {
        queue_managers(host, &self.process, &self.pid)
    }
}

/// The children of a master that are queue managers, by number.
fn queue_managers(host: &dyn Host, process: &Path, pid: &str) -> BTreeSet<String> {
    let children = host.read(&process.join("task").join(pid).join("children")).unwrap_or_default();
    let children = String::from_utf8_lossy(&children);
    let is_manager = |pid: &&str| {
        let name = host.read(&Path::new("/proc").join(pid).join("comm")).unwrap_or_default();
        matches!(name.trim_ascii(), b"qmgr" | b"nqmgr" | b"oqmgr")
    };
    children.split_ascii_whitespace().filter(is_manager).map(str::to_owned).collect()
}

/// What logs as daemons do, and is run by people.
const COMMANDS: [&str; 10] = [
    "postfix-script",
    "postalias",
    "postcat",
    "postconf",
    "postdrop",
    "postmap",
    "postqueue",
    "postsuper",
    "sendmail",
    "postkick",
];

/// Where Postfix logs to, if that is a file.
struct Log<'h> {
    host: &'h dyn Host,
    path: PathBuf,
    from: u64,
    /// What daemons complained about before.
    known: BTreeSet<String>,
}

impl<'h> Log<'h> {
    fn open(host: &'h dyn Host, directory: &Path) -> Option<Log<'h>> {
        let own = setting(host, directory, "maillog_file").filter(|it| it.starts_with('/'));
        let path = match own {
            Some(path) => PathBuf::from(path),
            None => ["/var/log/mail.log", "/var/log/maillog"]
                .map(PathBuf::from)
                .into_iter()
                .find(|it| host.exists(it))?,
        };
        let from = host.attributes(&path).ok()?.size;
        let tail = host.read_from(&path, from.saturating_sub(TAIL)).ok()?;
        Some(Log { host, path, from, known: complaints(&tail).collect() })
    }

    /// The first complaint that is new.
    fn complaint(&self) -> Option<String> {
        let now = self.host.read_from(&self.path, self.from).ok()?;
        complaints(&now).find(|it| !self.known.contains(it))
    }
}

/// What daemons said at their end, without the time and the number of the process.
fn complaints(log: &[u8]) -> impl Iterator<Item = String> + '_ {
    log.split(|it| *it == b'\n').filter_map(|line| {
        let line = String::from_utf8_lossy(line);
        let (head, said) = line.split_once("]: ")?;
        let ends = ["fatal: ", "panic: "].iter().any(|it| said.starts_with(it))
            || said.contains("-- throttling");
        let (program, _) = head.rsplit_once('[')?;
        let program = program.rsplit(' ').next()?;
        let (instance, daemon) = program.rsplit_once('/')?;
        let is_daemon = instance.contains("postfix") && !COMMANDS.contains(&daemon);
        (ends && is_daemon).then(|| format!("{program}: {said}"))
    })
}

#[cfg(test)]
mod tests {
    use super::complaints;

    #[test]
    fn complaints_are_those_of_daemons_that_end() {
        let log = b"Nov 30 10:00:00 mx postfix/qmgr[12]: fatal: bad numerical configuration\n\
            Nov 30 10:00:00 mx postfix/smtp[13]: warning: fatal: is a word\n\
            2026-11-30T10:00:00+00:00 mx postfix-out/master[1]: warning: /x/smtp: bad command startup -- throttling\n\
            Nov 30 10:00:00 mx other[13]: fatal: not ours\nfatal: \n\
            Nov 30 10:00:00 mx postfix/postfix-script[12]: fatal: it is already running\n";
        let found: Vec<String> = complaints(log).collect();
        assert_eq!(
            found,
            [
                "postfix/qmgr: fatal: bad numerical configuration",
                "postfix-out/master: warning: /x/smtp: bad command startup -- throttling"
            ]
        );
    }
}
