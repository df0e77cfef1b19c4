//! Tries to break `postls apply`: the real program, with the real postmap and postconf, in directories of the test's own.
//!
//! Whatever happens to it, each file afterwards is the old one or the new one, whole; Postfix finds what it
//! found before; and the next run comes to the same end as one that nobody disturbed.
//!
//! Needs Postfix, strace(1), and for some root and mount namespaces; what is missing is said, and left out.
//!
//! `POSTLS_ALL_FAULTS=1` tries everything; otherwise there is a choice, the same in each run: `POSTLS_SEED=n` makes
//! another one.

mod bounded;
mod disk;
mod errors;
mod kill;
mod places;
mod reader;
mod scene;
mod strangers;
mod together;
mod tracer;
mod tree;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many cases are tried at a time: they wait for the disk and for programs most of the time.
const AT_ONCE: usize = 6;

/// Whether everything is tried.
fn all() -> bool {
    std::env::var_os("POSTLS_ALL_FAULTS").is_some()
}

/// Tries all cases, several at a time, and fails with what was wrong in any of them.
fn try_each<T: Sync>(cases: &[T], attempt: impl Fn(usize, &T) -> Result<(), String> + Sync) {
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(cases.len()) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(index) else { return };
                    if let Err(why) = attempt(index, case) {
                        failures.lock().expect("no thread panics with it").push(why);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("no thread panicked");
    let shown: Vec<&str> = failures.iter().take(25).map(String::as_str).collect();
    assert!(
        failures.is_empty(),
        "{} of {} cases failed:\n{}",
        failures.len(),
        cases.len(),
        shown.join("\n\n")
    );
}
