//! `Cell`: the only `actix::Actor`. It keeps one behaviour's mailbox alive over panics and restarts.
//!
//! Three parts: `Slot` is the actor as its supervisor sees it; `Cell` takes envelopes from the actix mailbox into
//! the slot; `Driver` is the task that polls the mailbox under `catch_unwind` and decides what a failure means.
//! Nothing here ever runs on another thread than the system's, and no supervision happens inside a handler.

use std::any::Any;
use std::cell::{Cell as Flag, RefCell};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use actix::ActorContext;
use actix::dev::ContextFut;
use actix::dev::channel::channel;
use tokio::time::{Instant, Sleep};

use super::behaviour::{Behaviour, Factory, Keeping, Restart, Spec};
use super::budget::Spent;
use super::context::{Context, Outcome};
use super::message::{Envelope, Reply};
use super::node::{Life, Node};
use super::panics;
use super::reference::{ActorRef, LocalTarget};
use super::registry::ActorState;

/// A child of that name is alive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is already an actor at {0}: give the new one another name, or stop the old one first")]
pub struct NameTaken(pub String);

/// Unbounded for actix: the limits of a mailbox are the target's, and a parked sender would lose its message.
const ACTIX_CAPACITY: usize = 0;

/// Makes an actor under `parent`, or gives one that waits for its parent's restart back to it.
pub(super) fn spawn<B: Behaviour>(parent: &Rc<Node>, spec: Spec<B>) -> Result<ActorRef<B::Message>, NameTaken> {
    let path = parent.path_of(&spec.name);
    if let Some(former) = parent.child(&path) {
        if !former.is_parked() {
            return Err(NameTaken(path.to_string()));
        }
        match Rc::clone(&former).as_any().downcast::<Slot<B>>() {
            Ok(slot) => return Ok(slot.readopt(spec)),
            Err(_) => former.finish(),
        }
    }
    let (sender, receiver) = channel::<Cell<B>>(ACTIX_CAPACITY);
    let node = Node::under(parent, path);
    let limits = (spec.keeping.asks, spec.keeping.mailbox);
    let recipient = actix::Addr::new(sender).recipient();
    let target = Arc::new(LocalTarget::new(recipient, Arc::clone(&node.status), limits));
    let slot = Slot::new(node, Arc::clone(&target), spec);
    slot.enter();
    let cell = Cell { slot: Rc::clone(&slot) };
    let mailbox = actix::Context::with_receiver(receiver).into_future(cell);
    actix_rt::spawn(Driver { slot, mailbox: Some(mailbox) });
    Ok(ActorRef::new(target))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// For its first start, or for the end of a back-off.
    Waiting,
    Running,
    Parked,
    Ended,
}

/// One incarnation.
struct Live<B: Behaviour> {
    behaviour: B,
    context: Context<B::Message>,
}

/// An actor: what outlasts its incarnations, and the present one.
struct Slot<B: Behaviour> {
    node: Rc<Node>,
    turn: Flag<u64>,
    target: Arc<LocalTarget<B::Message>>,
    keeping: Flag<Keeping>,
    factory: RefCell<Factory<B>>,
    live: RefCell<Option<Live<B>>>,
    phase: Flag<Phase>,
    incarnation: Flag<u64>,
    spent: RefCell<Spent>,
    born: Instant,
    sleep: RefCell<Option<Pin<Box<Sleep>>>>,
}

impl<B: Behaviour> Slot<B> {
    fn new(node: Rc<Node>, target: Arc<LocalTarget<B::Message>>, spec: Spec<B>) -> Rc<Self> {
        node.strategy.set(spec.keeping.strategy);
        Rc::new(Self {
            node,
            turn: Flag::new(0),
            target,
            keeping: Flag::new(spec.keeping),
            factory: RefCell::new(spec.factory),
            live: RefCell::new(None),
            phase: Flag::new(Phase::Waiting),
            incarnation: Flag::new(0),
            spent: RefCell::default(),
            born: Instant::now(),
            sleep: RefCell::new(None),
        })
    }

    /// Takes its place in the tree and in the registry.
    fn enter(self: &Rc<Self>) {
        if let Some(parent) = &self.node.parent {
            let life: Rc<dyn Life> = Rc::clone(self) as Rc<dyn Life>;
            self.turn.set(parent.adopt(Arc::clone(&self.node.path), life));
        }
        let target = Arc::downgrade(&self.target);
        self.node.surroundings.registry.enter(Arc::clone(&self.node.status), target);
    }

    /// A restarted parent wants this parked actor back, with a new factory. Its limits stay as they were made.
    fn readopt(&self, spec: Spec<B>) -> ActorRef<B::Message> {
        *self.factory.borrow_mut() = spec.factory;
        self.node.strategy.set(spec.keeping.strategy);
        self.keeping.set(spec.keeping);
        self.spent.borrow_mut().clear();
        self.wait(Duration::ZERO, ActorState::Starting);
        ActorRef::new(Arc::clone(&self.target) as Arc<_>)
    }

    fn wait(&self, delay: Duration, state: ActorState) {
        self.phase.set(Phase::Waiting);
        let sleep = (!delay.is_zero()).then(|| Box::pin(tokio::time::sleep(delay)));
        *self.sleep.borrow_mut() = sleep;
        self.node.status.set_state(state);
        self.node.status.wake();
    }

    fn poll_wait(&self, cx: &mut std::task::Context<'_>) -> Poll<()> {
        let mut sleep = self.sleep.borrow_mut();
        if let Some(sleep) = sleep.as_mut() {
            ready!(sleep.as_mut().poll(cx));
        }
        *sleep = None;
        Poll::Ready(())
    }

    /// Called from the mailbox: one message.
    fn receive(&self, envelope: Envelope<B::Message>) {
        self.node.status.taken();
        let mut live = self.live.borrow_mut();
        let Some(Live { behaviour, context }) = live.as_mut() else { return };
        match envelope {
            Envelope::User { message, reply } => behaviour.handle(message, reply, context),
            Envelope::Own { incarnation, task, result } => {
                if let Some(message) = context.admit(incarnation, task, result) {
                    behaviour.handle(message, Reply::none(), context);
                }
            }
        }
    }

    fn wants_out(&self) -> bool {
        self.live.borrow().as_ref().is_none_or(|live| live.context.wants_out())
    }

    fn take_outcome(&self) -> Option<Outcome> {
        self.live.borrow_mut().as_mut().and_then(|live| live.context.take_outcome())
    }

    fn begin_incarnation(&self) {
        let incarnation = self.incarnation.get() + 1;
        self.incarnation.set(incarnation);
        if incarnation > 1 {
            self.node.status.restarted();
        }
        self.node.take_escalated();
        let behaviour = (self.factory.borrow_mut())();
        let former = self.keeping.get().former;
        let context = Context::new(Arc::clone(&self.target), Rc::clone(&self.node), incarnation, former);
        let mut live = self.live.borrow_mut();
        let Live { behaviour, context } = live.insert(Live { behaviour, context });
        behaviour.started(context);
    }

    fn conclude(&self, outcome: Outcome) {
        match outcome {
            Outcome::Failed(reason) => self.fail(&reason),
            Outcome::Stopped if self.keeping.get().restart == Restart::Permanent => {
                self.node.park_children();
                self.end_in_order(true);
                self.restart("it stopped itself");
            }
            Outcome::Stopped => self.finish(),
        }
    }

    /// The incarnation has failed: its state is thrown away, its mailbox stays.
    fn fail(&self, reason: &str) {
        tracing::error!(path = %self.node.path, incarnation = self.incarnation.get(), %reason, "actor failed");
        self.node.surroundings.registry.failed(&self.node.status, reason);
        self.node.park_children();
        let live = self.live.borrow_mut().take();
        if let Some(live) = live {
            self.discard(live, true);
        }
        match self.keeping.get().restart {
            Restart::Temporary => self.finish(),
            Restart::Permanent | Restart::Transient => self.restart(reason),
        }
    }

    /// Waits for the next start, or hands the trouble to the parent when over budget.
    fn restart(&self, reason: &str) {
        let keeping = self.keeping.get();
        let now = self.born.elapsed();
        let spent = self.spent.borrow_mut().spend(keeping.budget, now);
        let Some(nth) = spent else {
            self.phase.set(Phase::Parked);
            self.node.status.set_state(ActorState::Parked);
            if let Some(parent) = &self.node.parent {
                let path = &self.node.path;
                parent.escalate(format!("{path} is over its restart budget, last: {reason}"));
            }
            return;
        };
        if let Some(parent) = &self.node.parent {
            parent.park_after(self.turn.get());
        }
        self.wait(keeping.backoff.wait(nth, fastrand::f64()), ActorState::BackingOff);
    }

    /// `stopping`, then the end of the behaviour. `stays` if the actor will have another incarnation.
    fn end_in_order(&self, stays: bool) {
        let live = self.live.borrow_mut().take();
        let Some(mut live) = live else { return };
        let stopped = catch_unwind(AssertUnwindSafe(|| live.behaviour.stopping(&mut live.context)));
        if let Err(panic) = stopped {
            let reason = panics::text(panic.as_ref());
            tracing::error!(path = %self.node.path, %reason, "actor failed while it was stopping");
            self.node.surroundings.registry.failed(&self.node.status, &reason);
        }
        self.discard(live, stays);
        // What `stopping` may have spawned must not outlive its parent either.
        if stays { self.node.park_children() } else { self.node.finish_children() }
    }

    fn discard(&self, mut live: Live<B>, stays: bool) {
        live.context.abandon(stays);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(move || drop(live))) {
            let reason = panics::text(panic.as_ref());
            tracing::error!(path = %self.node.path, %reason, "the state of an actor failed while it was dropped");
        }
    }
}

impl<B: Behaviour> Life for Slot<B> {
    fn park(&self) {
        if self.phase.get() == Phase::Ended {
            return;
        }
        self.node.park_children();
        self.end_in_order(true);
        self.phase.set(Phase::Parked);
        *self.sleep.borrow_mut() = None;
        self.node.status.set_state(ActorState::Parked);
    }

    fn is_parked(&self) -> bool {
        self.phase.get() == Phase::Parked
    }

    fn start(&self) -> bool {
        self.phase.set(Phase::Running);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.begin_incarnation())) {
            self.fail(&panics::text(panic.as_ref()));
            return false;
        }
        if let Some(outcome) = self.take_outcome() {
            self.conclude(outcome);
            return false;
        }
        self.node.finish_parked();
        self.node.status.set_state(ActorState::Running);
        self.node.status.wake();
        true
    }

    fn finish(&self) {
        if self.phase.get() == Phase::Ended {
            return;
        }
        self.node.finish_children();
        self.end_in_order(false);
        self.phase.set(Phase::Ended);
        self.target.close();
        self.node.status.set_state(ActorState::Stopped);
        self.node.surroundings.registry.leave(&self.node.status);
        if let Some(parent) = &self.node.parent {
            parent.remove(&self.node.path, self.turn.get());
        }
        self.node.status.wake();
    }

    fn as_any(self: Rc<Self>) -> Rc<dyn Any> {
        self
    }
}

/// The actix actor around a slot.
struct Cell<B: Behaviour> {
    slot: Rc<Slot<B>>,
}

impl<B: Behaviour> actix::Actor for Cell<B> {
    type Context = actix::Context<Self>;
}

impl<B: Behaviour> actix::Supervised for Cell<B> {}

impl<B: Behaviour> actix::Handler<Envelope<B::Message>> for Cell<B> {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<B::Message>, ctx: &mut actix::Context<Self>) {
        self.slot.receive(envelope);
        if self.slot.wants_out() {
            ctx.stop(); // leaves the rest of the mailbox where it is
        }
    }
}

/// The task of one actor.
struct Driver<B: Behaviour> {
    slot: Rc<Slot<B>>,
    mailbox: Option<ContextFut<Cell<B>, actix::Context<Cell<B>>>>,
}

// Nothing in it is pinned in place: the mailbox is polled as an `Unpin` future.
impl<B: Behaviour> Unpin for Driver<B> {}

impl<B: Behaviour> Driver<B> {
    /// Polls the mailbox until it is empty or the incarnation ends. Pending: nothing left to do.
    fn poll_running(&mut self, cx: &mut std::task::Context<'_>) -> Poll<()> {
        let Some(mailbox) = self.mailbox.as_mut() else { return Poll::Ready(()) };
        let status = &self.slot.node.status;
        let polled = catch_unwind(AssertUnwindSafe(|| {
            assert!(!status.take_injected(), "injected panic");
            Pin::new(&mut *mailbox).poll(cx)
        }));
        let outcome = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(())) => self.slot.take_outcome(),
            Err(panic) => Some(Outcome::Failed(panics::text(panic.as_ref()))),
        };
        // Keeps the queue and every address; without this a mailbox that was left by a panic never runs again.
        mailbox.restart();
        if let Some(outcome) = outcome {
            self.slot.conclude(outcome);
        }
        Poll::Ready(())
    }

    fn start_when_due(&self, cx: &mut std::task::Context<'_>) -> Poll<()> {
        ready!(self.slot.poll_wait(cx));
        let started = self.slot.start();
        if let (true, Some(parent)) = (started, &self.slot.node.parent) {
            parent.resume_after(self.slot.turn.get());
        }
        Poll::Ready(())
    }
}

impl<B: Behaviour> Future for Driver<B> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<()> {
        self.slot.node.status.watch(cx.waker());
        loop {
            let phase = self.slot.phase.get();
            let escalated = self.slot.node.take_escalated();
            match (phase, escalated) {
                (Phase::Running, Some(reason)) => self.slot.fail(&reason),
                (Phase::Running, None) => ready!(self.poll_running(cx)),
                (Phase::Waiting, _) => ready!(self.start_when_due(cx)),
                (Phase::Parked, _) => return Poll::Pending,
                (Phase::Ended, _) => {
                    self.mailbox = None;
                    return Poll::Ready(());
                }
            }
        }
    }
}

impl<B: Behaviour> Drop for Driver<B> {
    /// The system's thread ends under a living actor: its end is still in order.
    fn drop(&mut self) {
        self.slot.finish();
    }
}
