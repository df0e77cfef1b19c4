//! Much work at once, within limits: so many at the same time, so many of them with one provider, and all of
//! it within a time.
//!
//! A thread for each: what they do is wait for others.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The limits.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// So many at the same time.
    pub parallel: NonZeroUsize,
    /// So many of them with one provider.
    pub per_provider: NonZeroUsize,
    /// Whoever is not the first with a provider waits a part of this before it begins.
    pub jitter: Duration,
    /// Nothing begins after that.
    pub until: Deadline,
}

/// A moment to come.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// In this time, from now on.
    pub fn after(time: Duration) -> Deadline {
        Deadline(Instant::now() + time)
    }

    fn is_over(self) -> bool {
        Instant::now() >= self.0
    }
}

/// As many as are wanted at the same time, or fewer where this process may not have descriptors for them: each
/// needs one for its connection, and sometimes a second one.
pub fn affordable(wanted: NonZeroUsize) -> NonZeroUsize {
    /// What else is open: the terminal, files, the resolver's.
    const OTHERS: u64 = 32;
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let most = limit.map_or(u64::MAX, |it| it.saturating_sub(OTHERS) / 2);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    NonZeroUsize::new(wanted.get().min(most)).unwrap_or(NonZeroUsize::MIN)
}

/// A thread needs little more than OpenSSL does.
const STACK: usize = 512 * 1024;

/// Does all of the work, in the order of `jobs` as far as the limits let it; `done` is told of each. `None`:
/// the time was over before its turn came.
///
/// Where no thread can be had, this one does the work.
pub fn run<J: Sync, R: Send>(
    jobs: &[J],
    provider: impl Fn(&J) -> String,
    limits: Limits,
    work: impl Fn(&J) -> R + Sync,
    done: impl Fn() + Sync,
) -> Vec<Option<R>> {
    let mut names: HashMap<String, usize> = HashMap::new();
    let mut of_job = Vec::with_capacity(jobs.len());
    for job in jobs {
        let next = names.len();
        of_job.push(*names.entry(provider(job)).or_insert(next));
    }
    let queue = Mutex::new(Queue::new(&of_job, names.len(), limits.per_provider.get()));
    let changed = Condvar::new();
    let results: Mutex<Vec<Option<R>>> = Mutex::new(jobs.iter().map(|_| None).collect());
    let worker = || {
        while let Some(turn) = next(&queue, &changed) {
            if !limits.until.is_over() {
                if !turn.is_first {
                    thread::sleep(part_of(limits.jitter, turn.job));
                }
                let result = work(&jobs[turn.job]);
                lock(&results)[turn.job] = Some(result);
            }
            lock(&queue).finish(of_job[turn.job]);
            changed.notify_all();
            done();
        }
    };
    thread::scope(|scope| {
        let wanted = limits.parallel.get().min(jobs.len());
        let started = (0..wanted).filter(|_| {
            thread::Builder::new().stack_size(STACK).spawn_scoped(scope, worker).is_ok()
        });
        if started.count() == 0 {
            worker();
        }
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Whose turn it is.
struct Turn {
    job: usize,
    /// Whether nobody was with its provider before.
    is_first: bool,
}

/// What waits, by provider.
struct Queue {
    providers: Vec<Provider>,
    /// Those with work that may begin, each once.
    ready: VecDeque<usize>,
    left: usize,
}

struct Provider {
    waiting: VecDeque<usize>,
    free: usize,
    began: bool,
    is_ready: bool,
}

impl Queue {
    fn new(of_job: &[usize], providers: usize, free: usize) -> Queue {
        let provider = || Provider { waiting: VecDeque::new(), free, began: false, is_ready: true };
        let mut all: Vec<Provider> = (0..providers).map(|_| provider()).collect();
        for (job, of) in of_job.iter().enumerate() {
            all[*of].waiting.push_back(job);
        }
        let ready = (0..providers).collect();
        Queue { providers: all, ready, left: of_job.len() }
    }

    /// The next one that may begin.
    fn take(&mut self) -> Option<Turn> {
        let of = self.ready.pop_front()?;
        let provider = &mut self.providers[of];
        let job = provider.waiting.pop_front()?;
        provider.free -= 1;
        let is_first = !std::mem::replace(&mut provider.began, true);
        provider.is_ready = provider.free > 0 && !provider.waiting.is_empty();
        if provider.is_ready {
            self.ready.push_back(of);
        }
        self.left -= 1;
        Some(Turn { job, is_first })
    }

    fn finish(&mut self, of: usize) {
        let provider = &mut self.providers[of];
        provider.free += 1;
        if !provider.is_ready && !provider.waiting.is_empty() {
            provider.is_ready = true;
            self.ready.push_back(of);
        }
    }
}

/// Waits for a turn; `None`: all work has begun.
fn next(queue: &Mutex<Queue>, changed: &Condvar) -> Option<Turn> {
    let mut queue = lock(queue);
    loop {
        if queue.left == 0 {
            return None;
        }
        if let Some(turn) = queue.take() {
            return Some(turn);
        }
        queue = changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
    }
}

/// A part of a time, another one each time.
fn part_of(time: Duration, salt: usize) -> Duration {
    // The hasher of std begins with random keys.
    let random = RandomState::new().hash_one(salt);
    let thousandths = u32::try_from(random % 1000).unwrap_or_default();
    time * thousandths / 1000
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn limits(parallel: usize, per_provider: usize) -> Limits {
        Limits {
            parallel: NonZeroUsize::new(parallel).expect("not zero"),
            per_provider: NonZeroUsize::new(per_provider).expect("not zero"),
            jitter: Duration::from_millis(1),
            until: Deadline::after(Duration::from_secs(600)),
        }
    }

    #[test]
    fn all_is_done_once_and_no_limit_is_exceeded() {
        let jobs: Vec<usize> = (0..500).collect();
        let (all, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let of: Vec<AtomicUsize> = (0..7).map(|_| AtomicUsize::new(0)).collect();
        let told = AtomicUsize::new(0);
        let work = |job: &usize| {
            let now = all.fetch_add(1, Ordering::SeqCst) + 1;
            let with_it = of[job % 7].fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(now, Ordering::SeqCst);
            assert!(now <= 10 && with_it <= 3, "{now} {with_it}");
            thread::sleep(Duration::from_micros(200));
            of[job % 7].fetch_sub(1, Ordering::SeqCst);
            all.fetch_sub(1, Ordering::SeqCst);
            job * 2
        };
        let provider = |job: &usize| (job % 7).to_string();
        let done = || {
            told.fetch_add(1, Ordering::SeqCst);
        };
        let results = run(&jobs, provider, limits(10, 3), work, done);
        assert!(results.iter().enumerate().all(|(job, it)| *it == Some(job * 2)));
        assert_eq!(told.into_inner(), 500);
        assert!(most.into_inner() > 1, "they do not wait for each other");
    }

    #[test]
    fn nothing_begins_when_the_time_is_over() {
        let until = Deadline::after(Duration::ZERO);
        let results = run(
            &[1, 2, 3],
            |_| String::new(),
            Limits { until, ..limits(2, 1) },
            |_| unreachable!("the time is over"),
            || {},
        );
        assert_eq!(results, [None::<()>, None, None]);
    }

    #[test]
    fn without_work_nothing_is_done() {
        let none: [usize; 0] = [];
        let results = run(&none, |_| String::new(), limits(4, 4), |it| *it, || {});
        assert_eq!(results, []);
    }
}
