//! What a behaviour may do besides changing its own state: timers, futures on the workers, children, its own end.
//! It never blocks and never runs anything of the caller's on the system thread except messages.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::behaviour::{Behaviour, Former, Spec};
use super::cell;
use super::message::{Envelope, Message};
use super::node::Node;
use super::panics;
use super::reference::{ActorRef, LocalTarget};
use super::registry::Registry;

/// Why an incarnation ends by its own decision.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Stopped,
    Failed(String),
}

/// A timer or future that an actor started; to cancel it. Of no use in another incarnation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskHandle {
    incarnation: u64,
    task: u64,
}

/// The surroundings of one incarnation of an actor that understands `M`.
pub struct Context<M: Message> {
    target: Arc<LocalTarget<M>>,
    node: Rc<Node>,
    incarnation: u64,
    former: Former,
    next_task: u64,
    tasks: BTreeMap<u64, AbortHandle>,
    outcome: Option<Outcome>,
}

impl<M: Message> Context<M> {
    pub(super) fn new(target: Arc<LocalTarget<M>>, node: Rc<Node>, incarnation: u64, former: Former) -> Self {
        Self { target, node, incarnation, former, next_task: 0, tasks: BTreeMap::new(), outcome: None }
    }

    /// The own address. It stays the same over restarts.
    #[must_use]
    pub fn address(&self) -> ActorRef<M> {
        let target: Arc<LocalTarget<M>> = Arc::clone(&self.target);
        ActorRef::new(target)
    }

    /// The own path, such as `satellite/resource/pvc-1`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.node.path
    }

    /// 1 at first, one more with each restart.
    #[must_use]
    pub fn incarnation(&self) -> u64 {
        self.incarnation
    }

    /// The registry of this system.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.node.surroundings.registry
    }

    /// The worker threads, for what has to be spawned outside an actor's care, such as a server's listener.
    #[must_use]
    pub fn workers(&self) -> &Handle {
        &self.node.surroundings.workers
    }

    /// Sends `message` to this actor after `delay`, unless it is cancelled or the incarnation ends.
    pub fn notify_after(&mut self, delay: Duration, message: M) -> TaskHandle {
        self.run(tokio_sleep(delay), move |()| message)
    }

    /// Runs `future` on the workers; what it yields comes back as the message that `map` makes of it.
    ///
    /// A panic in the future or in `map` is a failure of this actor. When the incarnation ends the future is dropped
    /// at its next await (see [`Former`]).
    pub fn run<F, T>(&mut self, future: F, map: impl FnOnce(T) -> M + Send + 'static) -> TaskHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let (incarnation, task) = (self.incarnation, self.next_task);
        self.next_task += 1;
        let target = Arc::clone(&self.target);
        let work = async move {
            let caught = AssertUnwindSafe(async move { map(future.await) }).catch_unwind().await;
            let result = caught.map_err(|panic| Arc::from(panics::text(panic.as_ref())));
            // An actor that has ended no longer wants it.
            let _ = target.post(Envelope::Own { incarnation, task, result });
        };
        let spawned = self.node.surroundings.workers.spawn(work);
        self.tasks.insert(task, spawned.abort_handle());
        TaskHandle { incarnation, task }
    }

    /// Aborts a timer or future. True if its message has not been delivered and will not be.
    pub fn cancel(&mut self, handle: TaskHandle) -> bool {
        if handle.incarnation != self.incarnation {
            return false;
        }
        self.tasks.remove(&handle.task).map(|task| task.abort()).is_some()
    }

    /// Makes a child that this actor supervises. It starts after the current handler has returned.
    ///
    /// After a restart of this actor, a child that is spawned again under the same name, with the same behaviour,
    /// keeps its mailbox and its addresses; children that `started` does not spawn again end.
    ///
    /// # Panics
    /// If a child of that name is alive: a fault of the program, treated as a failure of this actor.
    pub fn spawn_child<B: Behaviour>(&mut self, spec: Spec<B>) -> ActorRef<B::Message> {
        match cell::spawn(&self.node, spec) {
            Ok(child) => child,
            Err(taken) => panic!("{taken}"),
        }
    }

    /// Ends the child of that name, its own children first. False if there is none.
    pub fn stop_child(&mut self, name: &str) -> bool {
        let child = self.node.child(&self.node.path_of(name));
        child.map(|child| child.finish()).is_some()
    }

    /// Ends this incarnation in order after the current handler. A `Permanent` actor is then started again.
    pub fn stop(&mut self) {
        self.outcome.get_or_insert(Outcome::Stopped);
    }

    /// Declares this incarnation failed, as a panic would, after the current handler.
    pub fn fail(&mut self, reason: impl Into<String>) {
        if !matches!(self.outcome, Some(Outcome::Failed(_))) {
            self.outcome = Some(Outcome::Failed(reason.into()));
        }
    }

    pub(super) fn wants_out(&self) -> bool {
        self.outcome.is_some()
    }

    pub(super) fn take_outcome(&mut self) -> Option<Outcome> {
        self.outcome.take()
    }

    /// The message of an `Own` envelope, if this incarnation shall see it.
    pub(super) fn admit(&mut self, incarnation: u64, task: u64, result: Result<M, Arc<str>>) -> Option<M> {
        let mine = incarnation == self.incarnation;
        if mine && self.tasks.remove(&task).is_none() {
            return None; // cancelled after it had been posted
        }
        match result {
            Ok(message) if mine || self.former == Former::Deliver => Some(message),
            Ok(_) => None,
            Err(reason) => {
                if mine {
                    self.fail(format!("a future of the actor panicked: {reason}"));
                } else {
                    tracing::warn!(path = %self.node.path, %reason, "a future of a former incarnation panicked");
                }
                None
            }
        }
    }

    /// Ends what this incarnation has running; `stays` if the actor goes on and its spec lets it deliver.
    pub(super) fn abandon(&mut self, stays: bool) {
        if stays && self.former == Former::Deliver {
            return;
        }
        for task in std::mem::take(&mut self.tasks).into_values() {
            task.abort();
        }
    }
}

// Made on the first poll, on a worker: a timer needs a runtime around it.
async fn tokio_sleep(delay: Duration) {
    tokio::time::sleep(delay).await;
}
