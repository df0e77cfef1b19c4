//! A bar for work that takes longer than a second, on a terminal only.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget};

/// Work of so short a time has no bar.
const SHORT: Duration = Duration::from_secs(1);

/// How far the work is.
pub(super) struct Progress(Option<ProgressBar>);

impl Progress {
    /// Of `count` steps; on a terminal, unless it is to be quiet.
    pub(super) fn new(count: usize, quiet: bool) -> Progress {
        let shown = std::io::stderr().is_terminal() && !quiet && count > 1;
        let hidden = ProgressDrawTarget::hidden();
        Progress(shown.then(|| ProgressBar::with_draw_target(Some(count as u64), hidden)))
    }

    /// One step is done.
    pub(super) fn step(&self) {
        let Some(bar) = &self.0 else { return };
        bar.inc(1);
        if bar.is_hidden() && bar.elapsed() > SHORT {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
