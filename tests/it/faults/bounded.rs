//! Programs that end: with a limit of time, and with all that they started.

use std::io::Read;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

/// Far more than anything here takes on a slow machine.
const LIMIT: Duration = Duration::from_secs(180);

/// What a program did.
#[derive(Debug)]
pub(super) struct Ran {
    /// Its exit status; `None`: a signal ended it.
    pub(super) status: Option<i32>,
    /// The signal that ended it.
    pub(super) signal: Option<i32>,
    /// Standard output.
    pub(super) out: String,
    /// Standard error.
    pub(super) err: String,
}

/// Runs a command to its end, and waits for the programs that it left behind. What takes too long is killed, and
/// that is a failure of the test.
pub(super) fn run(command: &mut Command) -> Ran {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.process_group(0).spawn().expect("the program is there");
    let group = Pid::from_child(&child);
    let out = child.stdout.take().map(|it| thread::spawn(|| text(it)));
    let err = child.stderr.take().map(|it| thread::spawn(|| text(it)));
    let end = Instant::now() + LIMIT;
    let status = loop {
        if let Some(status) = child.try_wait().expect("it is our child") {
            break status;
        }
        if Instant::now() > end {
            let _ = kill_process_group(group, Signal::KILL);
            panic!("{command:?} did not end");
        }
        thread::sleep(Duration::from_millis(2));
    };
    while test_kill_process_group(group).is_ok() {
        if Instant::now() > end {
            let _ = kill_process_group(group, Signal::KILL);
            panic!("what {command:?} started did not end");
        }
        thread::sleep(Duration::from_millis(2));
    }
    let read = |it: Option<thread::JoinHandle<String>>| {
        it.map(|it| it.join().expect("it reads")).unwrap_or_default()
    };
    Ran { status: status.code(), signal: status.signal(), out: read(out), err: read(err) }
}

fn text(mut stream: impl Read) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}
