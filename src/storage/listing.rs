//! What a command lists of a whole machine, looked at once for all who ask: a copy in memory that is renewed by a single look
//! at a time and patched after commands of our own.
//!
//! Nobody's lock is held while a command runs: whoever waits for another one's look waits no longer than it was told to, and
//! then has an error that says so. A patch that comes while a look is under way counts for the look's result, too.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::problem::problem;
use crate::model::report::Problem;

/// How long somebody waits for another one's look: longer than a healthy machine needs for many thousand objects, shorter
/// than the time-out of the command itself.
const PATIENCE: Duration = Duration::from_secs(20);

type Patch<T> = Arc<dyn Fn(&mut T) + Send + Sync>;

/// The copy.
pub(super) struct Listing<T> {
    /// What is listed, for people.
    what: String,
    patience: Duration,
    state: Mutex<State<T>>,
    ended: Condvar,
}

struct State<T> {
    value: Option<T>,
    /// When the look that is under way began.
    since: Option<Instant>,
    /// Patches since then.
    patches: Vec<Patch<T>>,
    /// How many looks have begun.
    begun: u64,
    /// What came of the last one that ended.
    last: Result<Instant, Problem>,
}

impl<T> fmt::Debug for Listing<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listing").field("what", &self.what).finish_non_exhaustive()
    }
}

/// Ends a look also where it panics.
struct Look<'a, T> {
    listing: &'a Listing<T>,
    result: Option<Result<T, Problem>>,
}

impl<T> Drop for Look<'_, T> {
    fn drop(&mut self) {
        let mut state = self.listing.lock();
        state.since = None;
        let patches = std::mem::take(&mut state.patches);
        match self.result.take() {
            Some(Ok(mut value)) => {
                patches.iter().for_each(|patch| patch(&mut value));
                state.value = Some(value);
                state.last = Ok(Instant::now());
            }
            Some(Err(problem)) => {
                state.value = None;
                state.last = Err(problem);
            }
            None => {
                state.value = None;
                state.last = Err(self.listing.broken());
            }
        }
        drop(state);
        self.listing.ended.notify_all();
    }
}

impl<T> Listing<T> {
    /// Of nothing yet.
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self::with_patience(what, PATIENCE)
    }

    fn with_patience(what: impl Into<String>, patience: Duration) -> Self {
        let what = what.into();
        let state = State { value: None, since: None, patches: Vec::new(), begun: 0, last: Ok(Instant::now()) };
        Self { what, patience, state: Mutex::new(state), ended: Condvar::new() }
    }

    /// Reads what is known; looks first, where nothing is. `read` runs under the lock: it runs no command.
    pub(super) fn read<R>(
        &self,
        look: impl FnOnce() -> Result<T, Problem>,
        read: impl FnOnce(&T) -> R,
    ) -> Result<R, Problem> {
        let state = self.lock();
        let newest = if state.value.is_some() { 0 } else { state.begun + u64::from(state.since.is_none()) };
        self.at_least(newest, state, look)?;
        // It may have been forgotten in between.
        self.lock().value.as_ref().map(read).ok_or_else(|| self.broken())
    }

    /// Looks anew: what is known afterwards is not older than this call.
    pub(super) fn renew(&self, look: impl FnOnce() -> Result<T, Problem>) -> Result<(), Problem> {
        let state = self.lock();
        let newest = state.begun + 1;
        self.at_least(newest, state, look)
    }

    /// Takes in what a command of our own has changed. It may be applied more than once.
    pub(super) fn patch(&self, change: impl Fn(&mut T) + Send + Sync + 'static) {
        let mut state = self.lock();
        if let Some(value) = &mut state.value {
            change(value);
        }
        if state.since.is_some() {
            state.patches.push(Arc::new(change));
        }
    }

    /// Believes nothing any more: the next one who asks looks.
    pub(super) fn forget(&self) {
        self.lock().value = None;
    }

    /// How old the last look is that succeeded; `None` where the last one failed.
    pub(super) fn age(&self) -> Option<Duration> {
        self.lock().last.as_ref().ok().map(Instant::elapsed)
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends when the look of this number, or a later one, has ended: another one's, or one of our own.
    fn at_least(
        &self,
        number: u64,
        mut state: MutexGuard<'_, State<T>>,
        look: impl FnOnce() -> Result<T, Problem>,
    ) -> Result<(), Problem> {
        let until = Instant::now() + self.patience;
        loop {
            let ended = state.begun - u64::from(state.since.is_some());
            if ended >= number {
                return if number == 0 { Ok(()) } else { state.last.clone().map(drop) };
            }
            let Some(since) = state.since else { break };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self.hangs(since));
            }
            state = self.ended.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.begun += 1;
        state.since = Some(Instant::now());
        drop(state);
        let mut under_way = Look { listing: self, result: None };
        let result = look();
        let said = result.as_ref().map(drop).map_err(Clone::clone);
        under_way.result = Some(result);
        drop(under_way);
        said
    }

    fn hangs(&self, since: Instant) -> Problem {
        problem(
            format!("{} cannot be listed", self.what),
            format!("the command that lists it has run for {} s without an end", since.elapsed().as_secs()),
            "A disk below it may not answer: look at the kernel log. It is tried again.",
        )
    }

    fn broken(&self) -> Problem {
        problem(format!("{} is not known", self.what), "listing it was broken off", "It is tried again.")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc::channel;

    use super::*;

    fn listing(patience_ms: u64) -> Arc<Listing<Vec<u32>>> {
        Arc::new(Listing::with_patience("The shelf", Duration::from_millis(patience_ms)))
    }

    fn failed() -> Result<Vec<u32>, Problem> {
        Err(problem("x", "y", "z"))
    }

    #[test]
    fn one_look_serves_all_until_it_is_forgotten() {
        let listing = listing(60_000);
        let looks = AtomicU32::new(0);
        let look = || Ok(vec![looks.fetch_add(1, Ordering::Relaxed)]);
        for _ in 0..3 {
            assert_eq!(listing.read(look, Vec::clone), Ok(vec![0]));
        }
        listing.patch(|value| value.push(7));
        assert_eq!(listing.read(look, Vec::clone), Ok(vec![0, 7]));
        listing.renew(look).expect("looked");
        assert_eq!(listing.read(look, Vec::clone), Ok(vec![1]));
        listing.forget();
        assert_eq!(listing.read(look, Vec::clone), Ok(vec![2]));
        assert!(listing.age().is_some());
    }

    #[test]
    fn a_failure_is_told_and_forgotten() {
        let listing = listing(60_000);
        assert!(listing.read(failed, Vec::clone).is_err());
        assert_eq!(listing.age(), None);
        assert_eq!(listing.read(|| Ok(vec![1]), Vec::clone), Ok(vec![1]));
        assert!(listing.renew(failed).is_err());
        assert_eq!(listing.read(|| Ok(vec![2]), Vec::clone), Ok(vec![2]));
    }

    #[test]
    fn a_patch_during_a_look_counts_afterwards() {
        let listing = listing(60_000);
        let look = || {
            listing.patch(|value: &mut Vec<u32>| value.push(9));
            Ok(vec![1])
        };
        assert_eq!(listing.read(look, Vec::clone), Ok(vec![1, 9]));
        assert_eq!(listing.read(failed, Vec::clone), Ok(vec![1, 9]), "once");
    }

    #[test]
    fn a_look_that_hangs_holds_nobody_for_long() {
        let listing = listing(10);
        let (begin, begun) = channel();
        let (end, ending) = channel::<()>();
        let other = listing.clone();
        let looking = std::thread::spawn(move || {
            let look = || {
                begin.send(()).expect("heard");
                ending.recv().expect("told");
                Ok(vec![1])
            };
            other.read(look, Vec::clone)
        });
        begun.recv().expect("it looks");
        let error = listing.read(failed, Vec::clone).expect_err("no patience");
        assert!(error.cause.contains("without an end") && error.message.contains("The shelf"), "{error:?}");
        end.send(()).expect("heard");
        assert_eq!(looking.join().expect("no panic"), Ok(vec![1]));
        assert_eq!(listing.read(failed, Vec::clone), Ok(vec![1]));
    }

    #[test]
    fn whoever_renews_does_not_take_an_earlier_look() {
        let listing = listing(60_000);
        let (begin, begun) = channel();
        let (end, ending) = channel::<()>();
        let other = listing.clone();
        let looking = std::thread::spawn(move || {
            other.renew(|| {
                begin.send(()).expect("heard");
                ending.recv().expect("told");
                Ok(vec![1])
            })
        });
        begun.recv().expect("it looks");
        let other = listing.clone();
        let renewing = std::thread::spawn(move || other.renew(|| Ok(vec![2])));
        end.send(()).expect("heard");
        looking.join().expect("no panic").expect("looked");
        renewing.join().expect("no panic").expect("looked");
        assert_eq!(listing.read(failed, Vec::clone), Ok(vec![2]));
    }

    #[test]
    fn a_panic_ends_a_look() {
        let listing = listing(60_000);
        let other = listing.clone();
        let looked = std::thread::spawn(move || other.read(|| panic!("on purpose"), Vec::clone)).join();
        assert!(looked.is_err());
        assert_eq!(listing.read(|| Ok(vec![3]), Vec::clone), Ok(vec![3]));
    }
}
