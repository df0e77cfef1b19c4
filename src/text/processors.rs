//! Work that falls into independent parts, shared out to the processors.

use std::num::NonZero;
use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Builder, ScopedJoinHandle};

/// How many threads are worth starting.
fn processors() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// What `work` makes of each of `items`, in their order. A single item starts no thread.
pub fn on_all_processors<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    if items.len() < 2 {
        return items.iter().map(work).collect();
    }
    // Each takes the next one when it is done with the last: some take longer than others.
    let next = AtomicUsize::new(0);
    let do_share = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return done };
            done.push((index, work(item)));
        }
    };
    let mut all: Vec<(usize, R)> = thread::scope(|scope| {
        // This thread is one of them, and does all of it where the system has no other.
        let others = processors().min(items.len()) - 1;
        let start = |_| Builder::new().spawn_scoped(scope, do_share).ok();
        let threads: Vec<_> = (0..others).filter_map(start).collect();
        let mut all = do_share();
        let join = |it: ScopedJoinHandle<'_, _>| it.join().unwrap_or_else(|it| resume_unwind(it));
        all.extend(threads.into_iter().flat_map(join));
        all
    });
    all.sort_unstable_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, result)| result).collect()
}

/// What `read` makes of the parts of a large text, in order. They are shared out to the processors; a
/// usual text is a single part, and starts no thread. `split` gives parts of about that many bytes.
pub fn in_parts<T: Send>(
    bytes: &[u8],
    split: impl FnOnce(usize) -> Vec<Range<usize>>,
    read: &(impl Fn(Range<usize>) -> T + Sync),
) -> Vec<T> {
    /// Some ten thousand rows: a thread costs less than reading them.
    const LARGE: usize = 1 << 20;
    // How many there are is in a file, and asking takes longer than a usual table.
    let count = if bytes.len() < LARGE { 1 } else { processors() };
    let size = bytes.len().div_ceil(count).max(LARGE);
    on_all_processors(&split(size), |part| read(part.clone()))
}

#[cfg(test)]
mod tests {
    use super::on_all_processors;

    #[test]
    fn results_have_the_order_of_the_items() {
        for count in [0, 1, 2, 3, 10, 1000] {
            let items: Vec<usize> = (0..count).collect();
            let doubled: Vec<usize> = items.iter().map(|it| it * 2).collect();
            assert_eq!(on_all_processors(&items, |it| it * 2), doubled);
        }
    }
}
