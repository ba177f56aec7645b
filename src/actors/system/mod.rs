//! The actor runtime: supervision, registry, ask, and `link`, on top of actix. Knows no word of storage.
//!
//! # What it promises
//!
//! **Delivery.** At most once, local or remote. `tell` that returned `Ok` lies in a mailbox, or on its way over a
//! link, and is lost if the actor ends, or the connection breaks, before it is handled. `ask` adds an answer or a
//! reason; only `Overloaded` and `Refused` say that the message did not run. Commands are therefore idempotent.
//!
//! **Order.** Messages from one sender to one actor are handled in the order in which they were sent, asks that had
//! to wait for a permit excepted. Over a link this holds within one connection.
//!
//! **One at a time.** All handlers of a system run on its one thread, never two at once. I/O runs on the workers
//! ([`Context::run`]) and comes back as a message.
//!
//! **A restart keeps** the path, every address, the mailbox with all that waits in it (asks included), permits and
//! counters. **It loses** the behaviour's state (the factory makes a new one), the message that was being handled
//! (its asker gets [`AskError::Dropped`]), and timers and futures of the old incarnation unless the spec says
//! [`Former::Deliver`]. Children end before their parent and start after it; those that the new incarnation spawns
//! again in `started` under the same name keep their mailboxes and addresses, the others end.
//!
//! **Failures.** A panic in a handler, in `started`, in a future given to [`Context::run`], or [`Context::fail`], fails
//! this actor and no other. It is restarted at once, then with a jittered exponential back-off; over its [`Budget`]
//! the failure is its parent's. Over the budget of a root, the tree is stopped and the process ends with code 70.
//!
//! **Stop.** Bottom-up, the last started first: an actor's `stopping` runs after all of its children have ended.
//! What still waits in the mailbox is dropped; its askers get [`AskError::Closed`].
//!
//! **Cost.** An idle actor has no timer, is never polled, and takes less than 2 KiB.

mod behaviour;
mod budget;
mod cell;
mod context;
pub mod link;
mod message;
mod node;
mod panics;
mod reference;
mod registry;
mod runtime;

pub use behaviour::{ASKS_IN_FLIGHT, Behaviour, Former, MAILBOX_LIMIT, Restart, Spec, Strategy};
pub use budget::{Backoff, Budget};
pub use cell::NameTaken;
pub use context::{Context, TaskHandle};
pub use message::{AskError, Message, Reply, SendError, WireMessage};
pub use reference::ActorRef;
pub use registry::{ActorInfo, ActorState, Registry};
pub use runtime::{EXIT_ROOT_FAILED, Options, RootFailure, System, SystemError};
