//! The processes of a lab: its namespaces, the receiver, and how all of it ends.
//!
//! One shell holds the namespaces. It waits on a pipe from the test; when the test lets go of that pipe,
//! by a drop or by its own death, the shell stops both mail systems, removes the files and ends.

use super::receiver;
use crate::judges::Judge;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Stops the Postfix with queue directory $1, as "postfix stop" does, but without whole seconds of sleep.
/// A master that runs has a lock on its pid file, so that a stale process number is never used.
const HALT: &str = r#"
halt() {
    file=$1/pid/master.pid
    [ -s "$file" ] && ! flock --nonblock "$file" true || return 0
    pid=$(sed '1s/ //g;1q' "$file")
    kill -TERM "$pid"
    tries=0
    while ! flock --nonblock "$file" true; do
        tries=$((tries + 1))
        if [ $tries = 250 ]; then kill -KILL "-$pid"; return 0; fi
        sleep 0.02
    done
}
"#;

/// Holds the namespaces for lab $1 of the Postfix in root $2; the other arguments are addresses that are to be here.
const HOLD: &str = r#"
lab=$1 root=$2
shift 2
ip link set lo up || exit
# For Postfix, and where that has a root of its own for programs of this machine beside it. Twice at the same place would
# make the lab's own files busy.
for etc in "$root/etc" ${root:+/etc}; do
    mount --bind "$lab/hosts" "$etc/hosts" || exit
    # Without this file the resolver asks the same.
    [ ! -e "$etc/resolv.conf" ] || mount --bind "$lab/resolv.conf" "$etc/resolv.conf" || exit
done
for address; do ip address add "$address/32" dev lo || exit; done
if ! postfix -c "$lab/receiver/etc" start </dev/null >/dev/null 2>&1; then
    cat "$lab/receiver/mail.log" >&2
    exit 1
fi
echo ready
read -r _
halt "$lab/spool"
halt "$lab/receiver/spool"
rm -rf "${lab:?}"
"#;

/// The namespaces and the receiver of a lab.
pub(super) struct World {
    shell: Child,
}

impl World {
    /// Makes the namespaces and starts the receiver in them.
    pub(super) fn start(postfix: &Judge, lab: &Path) -> World {
        receiver::write(postfix, lab);
        let mut command = Command::new("unshare");
        command.args(["--net", "--mount", "--propagation", "private", "--", "sh", "-c"]);
        command.arg(format!("{HALT}{HOLD}")).arg("lab").arg(lab);
        command.arg(postfix.root.as_deref().unwrap_or(Path::new(""))).args(receiver::ADDRESSES);
        command.env("PATH", path(lab));
        // Its own process group: an interrupt from the keyboard is not for it, the closed pipe is.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut shell = command.spawn().expect("unshare runs");
        let mut line = String::new();
        let read = BufReader::new(shell.stdout.take().expect("it is piped")).read_line(&mut line);
        assert!(read.is_ok() && line == "ready\n", "the namespaces of a lab could not be made");
        World { shell }
    }

    /// The arguments that make nsenter(1) run the next ones in the namespaces.
    pub(super) fn entry(&self, directory: &Path) -> Vec<OsString> {
        let target = format!("--target={}", self.shell.id());
        // The root as well: this process may itself be in a changed one.
        let words = [&target, "--mount", "--net", "--root", "--", "env"];
        let mut chdir = OsString::from("--chdir=");
        chdir.push(directory);
        words.into_iter().map(OsString::from).chain([chdir]).collect()
    }
}

/// The PATH with which Postfix's programs are those of a lab's Postfix.
pub(super) fn path(lab: &Path) -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{}:{path}:/usr/local/sbin:/usr/sbin:/sbin", lab.join("bin").display())
}

impl Drop for World {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// Stops one of the mail systems.
pub(super) fn halt(queue_directory: &Path) {
    let script = format!("{HALT}halt \"$1\"");
    let stopped = Command::new("sh").args(["-c", &script, "halt"]).arg(queue_directory).status();
    assert!(stopped.is_ok_and(|status| status.success()), "Postfix could not be stopped");
}

/// Asks again and again, at short intervals, until there is an answer or the time is over.
pub(super) fn wait<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        let answer = ask();
        if answer.is_some() || Instant::now() >= end {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
