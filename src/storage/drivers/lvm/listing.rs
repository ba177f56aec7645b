//! What LVM has, looked at once for all who ask: a copy in memory by volume group, patched after commands of our own.
//!
//! One look at all groups serves everybody. Nobody's lock is held while a command runs, and nobody waits longer than told:
//! when the common look is late or fails, each group is looked at alone for a while, so that a sick one holds up only those
//! who need it.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::model::report::Problem;
use crate::protocols::lvm::{Group, Listed, Volume};
use crate::storage::problem::problem;

/// How long a common look may take before each group is looked at alone. A healthy machine lists thousands in a second.
const COMMON_PATIENCE: Duration = Duration::from_secs(5);
/// How long somebody waits for a look at a group: shorter than the command's own time-out.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long groups are looked at alone after a common look went wrong.
const APART: Duration = Duration::from_secs(60);
/// How long a failed look is an answer for those who come after it.
const FAILURE_KEPT: Duration = Duration::from_secs(2);

/// A look under way.
pub(super) type Looking = Pin<Box<dyn Future<Output = Result<BTreeMap<String, Listed>, Problem>> + Send>>;

/// Looks at groups. All or nothing: a group that is missing in the answer is not there.
pub(super) trait Look: Send + Sync {
    /// Looks at these groups.
    fn look(&self, groups: Vec<String>) -> Looking;
}

/// The copy.
pub(super) struct Listing {
    inner: Arc<Inner>,
    look: Arc<dyn Look>,
    waits: Waits,
}

/// How long things are waited for.
#[derive(Debug, Clone, Copy)]
struct Waits {
    common: Duration,
    own: Duration,
}

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    groups: BTreeMap<String, Known>,
    common: Option<Started>,
    apart_until: Option<Instant>,
    /// Counts patches and failures.
    clock: u64,
}

#[derive(Default)]
struct Known {
    listed: Option<(Listed, Instant)>,
    own: Option<Started>,
    failed: Option<(Problem, Instant)>,
    /// Volumes that were patched, and when.
    patched: BTreeMap<String, u64>,
    /// Looks that began before this are not believed.
    void_before: u64,
    /// Whether the free room has changed since.
    room_stale: bool,
}

#[derive(Debug, Clone, Copy)]
struct Started {
    at: Instant,
    clock: u64,
}

/// What somebody who asks has to do.
#[derive(Debug, PartialEq)]
enum Next {
    Read,
    Fail(Problem),
    Look(Vec<String>),
    Wait(Duration),
}

impl fmt::Debug for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listing").finish_non_exhaustive()
    }
}

impl Listing {
    pub(super) fn new(look: Arc<dyn Look>) -> Self {
        Self { inner: Arc::default(), look, waits: Waits { common: COMMON_PATIENCE, own: PATIENCE } }
    }

    /// Groups that are looked at together from now on.
    pub(super) fn add(&self, group: &str) {
        self.inner.lock().groups.entry(group.to_owned()).or_default();
    }

    /// Reads what is known of a group, not older than `age`; looks first, where nothing is. `read` runs under the lock.
    pub(super) fn read<R>(&self, group: &str, age: Duration, read: impl FnOnce(&Listed) -> R) -> Result<R, Problem> {
        let asked = Instant::now();
        let until = asked + self.waits.own;
        let mut state = self.inner.lock();
        loop {
            // What was looked at after the question is new enough, however long the look took.
            let now = Instant::now();
            match state.next(group, (now, age.max(now - asked)), self.waits) {
                Next::Read => break,
                Next::Fail(problem) => return Err(problem),
                Next::Look(groups) => self.start(&mut state, groups),
                Next::Wait(pause) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Err(hangs(group, state.since(group)));
                    }
                    let waited = self.inner.changed.wait_timeout(state, pause.min(left));
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
        let known = state.groups.get(group).and_then(|known| known.listed.as_ref());
        known.map(|(listed, _)| read(listed)).ok_or_else(|| broken(group))
    }

    /// Takes in how volumes are after a command of our own: `None` for one that is gone.
    pub(super) fn patch(&self, group: &str, found: Vec<(String, Option<Volume>)>, new: Option<&Group>) {
        let mut state = self.inner.lock();
        state.clock += 1;
        let clock = state.clock;
        let Some(known) = state.groups.get_mut(group) else { return };
        known.room_stale |= new.is_none();
        for (name, volume) in found {
            known.patched.insert(name.clone(), clock);
            let Some((listed, _)) = &mut known.listed else { continue };
            match volume {
                Some(volume) => drop(listed.volumes.insert(name, volume)),
                None => drop(listed.volumes.remove(&name)),
            }
        }
        if let (Some((listed, _)), Some(new)) = (&mut known.listed, new) {
            listed.group = new.clone();
            known.room_stale = false;
        }
    }

    /// Whether the free room of a group is not what was listed any more.
    pub(super) fn is_room_stale(&self, group: &str) -> bool {
        self.inner.lock().groups.get(group).is_some_and(|known| known.room_stale)
    }

    /// Believes nothing of a group any more, nor what looks find that have begun already.
    pub(super) fn forget(&self, group: &str) {
        let mut state = self.inner.lock();
        state.clock += 1;
        let clock = state.clock;
        if let Some(known) = state.groups.get_mut(group) {
            known.listed = None;
            known.void_before = clock;
        }
    }

    /// What is known of all groups, however old.
    pub(super) fn all(&self) -> BTreeMap<String, Listed> {
        let state = self.inner.lock();
        let known =
            state.groups.iter().filter_map(|(name, known)| Some((name.clone(), known.listed.as_ref()?.0.clone())));
        known.collect()
    }

    fn start(&self, state: &mut State, groups: Vec<String>) {
        let started = Started { at: Instant::now(), clock: state.clock };
        match groups.as_slice() {
            [group] => state.groups.entry(group.clone()).or_default().own = Some(started),
            _ => state.common = Some(started),
        }
        let ending = Ending { inner: Arc::clone(&self.inner), groups: groups.clone(), started, result: None };
        let looking = self.look.look(groups);
        tokio::runtime::Handle::current().spawn(async move { ending.with(looking.await) });
    }
}

/// Takes a look's result in, also where it panics.
struct Ending {
    inner: Arc<Inner>,
    groups: Vec<String>,
    started: Started,
    result: Option<Result<BTreeMap<String, Listed>, Problem>>,
}

impl Ending {
    fn with(mut self, result: Result<BTreeMap<String, Listed>, Problem>) {
        self.result = Some(result);
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let result = self.result.take();
        let mut state = self.inner.lock();
        match self.groups.as_slice() {
            [group] => state.end_own(group, self.started, result.unwrap_or_else(|| Err(broken(group)))),
            _ => state.end_common(&self.groups, self.started, result.unwrap_or_else(|| Err(broken("")))),
        }
        drop(state);
        self.inner.changed.notify_all();
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next(&mut self, group: &str, (now, age): (Instant, Duration), waits: Waits) -> Next {
        let known = self.groups.entry(group.to_owned()).or_default();
        if known.listed.as_ref().is_some_and(|(_, at)| now.saturating_duration_since(*at) <= age) {
            return Next::Read;
        }
        if known.own.is_some() {
            return Next::Wait(waits.own);
        }
        if let Some((problem, at)) = &known.failed
            && now.saturating_duration_since(*at) < FAILURE_KEPT
        {
            return Next::Fail(problem.clone());
        }
        let alone = || Next::Look(vec![group.to_owned()]);
        // One that failed is looked at alone until that succeeds: it would spoil the look for all.
        if known.failed.is_some() || self.apart_until.is_some_and(|until| now < until) {
            return alone();
        }
        let Some(common) = self.common else {
            let well = self.groups.iter().filter(|(_, known)| known.failed.is_none());
            return Next::Look(well.map(|(name, _)| name.clone()).collect());
        };
        let took = now.saturating_duration_since(common.at);
        if took < waits.common {
            return Next::Wait(waits.common - took);
        }
        self.apart_until = Some(now + APART);
        alone()
    }

    fn since(&self, group: &str) -> Duration {
        let own = self.groups.get(group).and_then(|known| known.own);
        own.or(self.common).map_or(Duration::ZERO, |started| started.at.elapsed())
    }

    fn end_own(&mut self, group: &str, started: Started, result: Result<BTreeMap<String, Listed>, Problem>) {
        let Some(known) = self.groups.get_mut(group) else { return };
        known.own = None;
        let found = result.and_then(|mut found| found.remove(group).ok_or_else(|| absent(group)));
        match found {
            Ok(listed) => known.take(listed, started),
            Err(problem) => {
                known.listed = None;
                known.failed = Some((problem, Instant::now()));
            }
        }
        self.forget_patches();
    }

    fn end_common(&mut self, groups: &[String], started: Started, result: Result<BTreeMap<String, Listed>, Problem>) {
        self.common = None;
        let mut found = match result {
            Ok(found) => found,
            Err(problem) => {
                tracing::debug!(%problem, "volume groups are looked at one by one");
                self.apart_until = Some(Instant::now() + APART);
                return;
            }
        };
        for group in groups {
            match (self.groups.get_mut(group), found.remove(group)) {
                (Some(known), Some(listed)) => known.take(listed, started),
                _ => self.apart_until = Some(Instant::now() + APART),
            }
        }
        self.forget_patches();
    }

    /// Patches are kept as long as there is a look that began before them.
    fn forget_patches(&mut self) {
        if self.common.is_none() {
            let idle = self.groups.values_mut().filter(|known| known.own.is_none());
            idle.for_each(|known| known.patched.clear());
        }
    }
}

impl Known {
    /// What a look found, but for what was patched since it began. A look is as old as its beginning.
    fn take(&mut self, mut listed: Listed, started: Started) {
        if started.clock < self.void_before || self.listed.as_ref().is_some_and(|(_, at)| *at > started.at) {
            return;
        }
        let old = self.listed.take().map(|(listed, _)| listed.volumes).unwrap_or_default();
        for name in self.patched.iter().filter(|(_, clock)| **clock > started.clock).map(|(name, _)| name) {
            match old.get(name) {
                Some(volume) => drop(listed.volumes.insert(name.clone(), volume.clone())),
                None => drop(listed.volumes.remove(name)),
            }
        }
        self.room_stale = self.patched.values().any(|clock| *clock > started.clock);
        self.failed = None;
        self.listed = Some((listed, started.at));
    }
}

fn hangs(group: &str, since: Duration) -> Problem {
    problem(
        format!("The volumes of group {group} cannot be listed"),
        format!("`lvs {group}` has been running for {} s without an end", since.as_secs()),
        "A disk of the group may not answer, or another LVM command holds its lock: look at the kernel log, and for \
         processes of LVM (ps -C lvm,lvs,lvcreate,lvremove). It is tried again.",
    )
}

fn broken(group: &str) -> Problem {
    problem(format!("The volumes of group {group} are not known"), "listing them was broken off", "It is tried again.")
}

pub(super) fn absent(group: &str) -> Problem {
    problem(
        format!("Volume group {group} cannot be used"),
        format!("LVM finds no volume group {group} on this node: its disks are gone, or it was renamed or removed"),
        "Bring its disks back (lsblk, pvs), or correct the pool's StorDriver/StorPoolName.",
    )
}

#[cfg(test)]
mod tests;
