//! What a writer of an actor provides: a `Behaviour`, and the `Spec` by which its supervisor makes and keeps it.

use std::fmt;

use super::budget::{Backoff, Budget};
use super::context::Context;
use super::message::{Message, Reply};

/// Asks in flight at one actor, unless its spec says otherwise. As many as a link carries, so that a single peer
/// is never turned down by an idle actor; each costs its message and about 200 bytes.
pub const ASKS_IN_FLIGHT: usize = 1024;

/// Messages in one mailbox, unless the spec says otherwise: at a hundred nanoseconds each a backlog of milliseconds.
pub const MAILBOX_LIMIT: usize = 65_536;

/// The state of an actor and what it does with a message. Synchronous: it decides, and leaves waiting to
/// [`Context::run`] and [`Context::notify_after`].
///
/// A panic in any of these functions is a failure of this actor: see the promises in [`crate::actors::system`].
pub trait Behaviour: 'static {
    /// What this actor understands.
    type Message: Message;

    /// Called first in each incarnation, before any message. Children are spawned here.
    fn started(&mut self, _ctx: &mut Context<Self::Message>) {}

    /// Handles one message. Must not block: every other decision in the process waits meanwhile.
    fn handle(
        &mut self,
        message: Self::Message,
        reply: Reply<<Self::Message as Message>::Answer>,
        ctx: &mut Context<Self::Message>,
    );

    /// Called last in an incarnation that ends in order, after all children have ended. Not called after a panic:
    /// the state is not to be trusted then. What it sends is sent; what it starts does not run.
    fn stopping(&mut self, _ctx: &mut Context<Self::Message>) {}
}

/// When an actor is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Restart {
    /// After a failure, and also when it stopped itself.
    #[default]
    Permanent,
    /// After a failure only.
    Transient,
    /// Never.
    Temporary,
}

/// Which children are restarted when one fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// Only the one that failed.
    #[default]
    OneForOne,
    /// The one that failed, and those that were started after it: they stop in reverse order, and start in order.
    RestForOne,
}

/// What becomes of the timers and futures of an incarnation when the next one starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Former {
    /// They are aborted, and what they already sent never reaches the next incarnation.
    #[default]
    Discard,
    /// They go on, and the next incarnation gets their messages. A panic of theirs is logged only.
    Deliver,
}

/// How a supervisor keeps one actor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keeping {
    pub restart: Restart,
    pub strategy: Strategy,
    pub budget: Budget,
    pub backoff: Backoff,
    pub former: Former,
    pub asks: usize,
    pub mailbox: usize,
}

pub(super) type Factory<B> = Box<dyn FnMut() -> B + Send>;

/// How to make an actor and how to keep it alive.
pub struct Spec<B: Behaviour> {
    pub(super) name: String,
    pub(super) factory: Factory<B>,
    pub(super) keeping: Keeping,
}

impl<B: Behaviour> Spec<B> {
    /// An actor called `name` (appended to its parent's path; may itself contain `/`), made by `factory` for every
    /// incarnation. `Permanent`, one-for-one, with the default budget and limits.
    pub fn new(name: impl Into<String>, factory: impl FnMut() -> B + Send + 'static) -> Self {
        let keeping = Keeping {
            restart: Restart::default(),
            strategy: Strategy::default(),
            budget: Budget::default(),
            backoff: Backoff::default(),
            former: Former::default(),
            asks: ASKS_IN_FLIGHT,
            mailbox: MAILBOX_LIMIT,
        };
        Self { name: name.into(), factory: Box::new(factory), keeping }
    }

    /// When it is started again.
    #[must_use]
    pub fn restart(mut self, restart: Restart) -> Self {
        self.keeping.restart = restart;
        self
    }

    /// Which of **its children** are restarted when one of them fails.
    #[must_use]
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.keeping.strategy = strategy;
        self
    }

    /// How often it may be restarted before its parent is.
    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.keeping.budget = budget;
        self
    }

    /// How long it waits before a restart.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.keeping.backoff = backoff;
        self
    }

    /// What becomes of the timers and futures of a former incarnation.
    #[must_use]
    pub fn former(mut self, former: Former) -> Self {
        self.keeping.former = former;
        self
    }

    /// How many asks may be in flight; more wait for a permit until their deadline.
    #[must_use]
    pub fn asks_in_flight(mut self, asks: usize) -> Self {
        self.keeping.asks = asks;
        self
    }

    /// How many messages the mailbox holds before sends are refused as `Full`.
    #[must_use]
    pub fn mailbox_limit(mut self, messages: usize) -> Self {
        self.keeping.mailbox = messages;
        self
    }
}

impl<B: Behaviour> fmt::Debug for Spec<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spec").field("name", &self.name).field("keeping", &self.keeping).finish_non_exhaustive()
    }
}
