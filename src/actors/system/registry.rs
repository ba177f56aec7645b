//! The registry: every actor of a system by its path, with its counters, readable from any thread.
//! A value that is handed to the roots, never a global. It never keeps an actor alive.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::Waker;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::message::Message;
use super::reference::{ActorRef, downcast};

/// Where an actor is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum ActorState {
    /// Made, its `started` has not run yet.
    Starting = 0,
    /// Handles messages.
    Running = 1,
    /// It failed and waits for its next start.
    BackingOff = 2,
    /// It waits for its parent, or for an earlier sibling, to be restarted.
    Parked = 3,
    /// It has ended.
    Stopped = 4,
}

impl ActorState {
    fn from_u8(value: u8) -> Self {
        match value {
            0 => Self::Starting,
            1 => Self::Running,
            2 => Self::BackingOff,
            3 => Self::Parked,
            _ => Self::Stopped,
        }
    }
}

/// One actor as people and `GET /v1/zea/actors` see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorInfo {
    /// Such as `satellite/resource/pvc-1`.
    pub path: String,
    /// The path of its supervisor; absent for a root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Where it is in its life.
    pub state: ActorState,
    /// How often it was restarted since it was made.
    pub restarts: u32,
    /// Messages that wait in its mailbox.
    pub mailbox_depth: usize,
    /// Messages that it has begun to handle.
    pub handled: u64,
    /// Why it failed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<String>,
    /// When it failed last, in milliseconds since 1970 (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure_at_ms: Option<u64>,
    /// The paths of the actors that it supervises.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<String>,
}

struct Failure {
    reason: String,
    at_ms: u64,
}

/// The counters of one actor, shared between its cell, its addresses and the registry.
pub(super) struct Status {
    path: Arc<str>,
    parent: Option<Arc<str>>,
    state: AtomicU8,
    restarts: AtomicU32,
    depth: AtomicUsize,
    handled: AtomicU64,
    inject: AtomicBool,
    // Boxed: nearly every actor never fails, and there are thousands.
    failure: Mutex<Option<Box<Failure>>>,
    waker: Mutex<Option<Waker>>,
}

impl Status {
    pub(super) fn new(path: Arc<str>, parent: Option<Arc<str>>) -> Self {
        Self {
            path,
            parent,
            state: AtomicU8::new(ActorState::Starting as u8),
            restarts: AtomicU32::new(0),
            depth: AtomicUsize::new(0),
            handled: AtomicU64::new(0),
            inject: AtomicBool::new(false),
            failure: Mutex::new(None),
            waker: Mutex::new(None),
        }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn depth(&self) -> usize {
        self.depth.load(Ordering::Relaxed)
    }

    pub(super) fn queued(&self) {
        self.depth.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn unqueued(&self) {
        self.depth.fetch_sub(1, Ordering::Relaxed);
    }

    /// A message was taken out of the mailbox to be handled.
    pub(super) fn taken(&self) {
        self.unqueued();
        self.handled.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn set_state(&self, state: ActorState) {
        self.state.store(state as u8, Ordering::Relaxed);
    }

    pub(super) fn restarted(&self) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failed(&self, reason: &str) {
        let at_ms = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        *lock(&self.failure) = Some(Box::new(Failure { reason: reason.to_owned(), at_ms }));
    }

    /// Whether somebody asked for a panic; asking is used up by this.
    pub(super) fn take_injected(&self) -> bool {
        self.inject.load(Ordering::Relaxed) && self.inject.swap(false, Ordering::SeqCst)
    }

    /// Remembers whom to wake when somebody acts on this actor from outside its mailbox.
    pub(super) fn watch(&self, waker: &Waker) {
        let mut slot = lock(&self.waker);
        if !slot.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *slot = Some(waker.clone());
        }
    }

    pub(super) fn wake(&self) {
        let waker = lock(&self.waker).clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn info(&self) -> ActorInfo {
        let failure = lock(&self.failure);
        ActorInfo {
            path: self.path.to_string(),
            parent: self.parent.as_deref().map(str::to_owned),
            state: ActorState::from_u8(self.state.load(Ordering::Relaxed)),
            restarts: self.restarts.load(Ordering::Relaxed),
            mailbox_depth: self.depth(),
            handled: self.handled.load(Ordering::Relaxed),
            last_failure: failure.as_ref().map(|failure| failure.reason.clone()),
            last_failure_at_ms: failure.as_ref().map(|failure| failure.at_ms),
            children: Vec::new(),
        }
    }
}

struct Entry {
    status: Arc<Status>,
    target: Weak<dyn Any + Send + Sync>,
}

/// All actors of one system by path. Cheap to clone; clones are views of the same registry.
#[derive(Clone, Default)]
pub struct Registry {
    entries: Arc<Mutex<BTreeMap<Arc<str>, Entry>>>,
    on_failure: Arc<OnceLock<OnFailure>>,
}

type OnFailure = Box<dyn Fn(&str, &str) + Send + Sync>;

impl Registry {
    /// A snapshot of the whole tree, ordered by path. Its work depends on how many actors there are.
    #[must_use]
    pub fn snapshot(&self) -> Vec<ActorInfo> {
        let mut infos: Vec<ActorInfo> = lock(&self.entries).values().map(|entry| entry.status.info()).collect();
        let index: BTreeMap<String, usize> =
            infos.iter().enumerate().map(|(at, info)| (info.path.clone(), at)).collect();
        for at in 0..infos.len() {
            let parent = infos[at].parent.as_ref().and_then(|parent| index.get(parent)).copied();
            if let Some(parent) = parent {
                let path = infos[at].path.clone();
                infos[parent].children.push(path);
            }
        }
        infos
    }

    /// One actor, without its children.
    #[must_use]
    pub fn info(&self, path: &str) -> Option<ActorInfo> {
        lock(&self.entries).get(path).map(|entry| entry.status.info())
    }

    /// Has `tell` called with path and reason whenever an actor fails. On the system's thread: it must not block. The
    /// first one counts.
    pub fn on_failure(&self, tell: impl Fn(&str, &str) + Send + Sync + 'static) {
        // A second one has nobody to report to.
        let _ = self.on_failure.set(Box::new(tell));
    }

    pub(super) fn failed(&self, status: &Status, reason: &str) {
        status.failed(reason);
        if let Some(tell) = self.on_failure.get() {
            tell(status.path(), reason);
        }
    }

    /// How many actors there are.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.entries).len()
    }

    /// Whether there is no actor.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The address of the actor at `path`, if it is there and understands `M`.
    #[must_use]
    pub fn find<M: Message>(&self, path: &str) -> Option<ActorRef<M>> {
        let target = lock(&self.entries).get(path)?.target.upgrade()?;
        downcast(target)
    }

    /// Makes the actor at `path` panic at its next poll, which this call causes. False if there is no such actor.
    ///
    /// Fault injection for tests on a running daemon: it takes the same way as a panic in a handler.
    #[must_use]
    pub fn inject_panic(&self, path: &str) -> bool {
        let Some(status) = lock(&self.entries).get(path).map(|entry| Arc::clone(&entry.status)) else {
            return false;
        };
        status.inject.store(true, Ordering::SeqCst);
        status.wake();
        true
    }

    pub(super) fn enter(&self, status: Arc<Status>, target: Weak<dyn Any + Send + Sync>) {
        lock(&self.entries).insert(Arc::clone(&status.path), Entry { status, target });
    }

    pub(super) fn leave(&self, status: &Status) {
        lock(&self.entries).remove(&status.path);
    }
}

/// A panic never happens while one of these locks is held in a half-changed state, so poison means nothing here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(registry: &Registry, path: &str, parent: Option<&str>) -> Arc<Status> {
        let status = Arc::new(Status::new(Arc::from(path), parent.map(Arc::from)));
        let nobody: Weak<()> = Weak::new();
        registry.enter(Arc::clone(&status), nobody);
        status
    }

    #[test]
    fn the_snapshot_shows_the_tree_and_its_counters() {
        let registry = Registry::default();
        let root = enter(&registry, "satellite", None);
        let child = enter(&registry, "satellite/resource/pvc-1", Some("satellite"));
        root.set_state(ActorState::Running);
        child.queued();
        child.queued();
        child.taken();
        child.failed("disk on fire");
        child.restarted();
        let infos = registry.snapshot();
        assert_eq!(infos[0].children, ["satellite/resource/pvc-1"]);
        assert_eq!(infos[0].state, ActorState::Running);
        assert_eq!((infos[1].mailbox_depth, infos[1].handled, infos[1].restarts), (1, 1, 1));
        assert_eq!(infos[1].last_failure.as_deref(), Some("disk on fire"));
        assert!(infos[1].last_failure_at_ms.is_some_and(|at| at > 1_600_000_000_000));
        let json = serde_json::to_string(&infos).unwrap();
        assert!(json.contains(r#""state":"running""#), "{json}");
        assert_eq!(serde_json::from_str::<Vec<ActorInfo>>(&json).unwrap(), infos);
    }

    #[test]
    fn failures_are_told_to_the_first_who_asked() {
        let registry = Registry::default();
        let status = enter(&registry, "a/b", None);
        registry.failed(&status, "before anybody asked");
        let told = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&told);
        registry.on_failure(move |path, reason| lock(&list).push(format!("{path}: {reason}")));
        registry.on_failure(|_, _| panic!("the second is not asked"));
        registry.clone().failed(&status, "boom");
        assert_eq!(*lock(&told), ["a/b: boom"]);
        assert_eq!(registry.info("a/b").and_then(|info| info.last_failure).as_deref(), Some("boom"));
    }

    #[test]
    fn what_left_is_gone_and_cannot_be_injected() {
        let registry = Registry::default();
        let status = enter(&registry, "a", None);
        assert!(registry.inject_panic("a"));
        assert!(status.take_injected());
        assert!(!status.take_injected());
        registry.leave(&status);
        assert!(registry.is_empty());
        assert!(!registry.inject_panic("a"));
    }
}
