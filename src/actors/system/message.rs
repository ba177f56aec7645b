//! Messages, replies and what can go wrong with a send. Knows no actor and no transport.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// What an actor understands: one enum per behaviour, with one type of answer.
pub trait Message: Send + 'static {
    /// What an ask is answered with. `()` for actors that are only told things.
    type Answer: Send + 'static;
}

/// A message that may cross processes. Bodies travel as JSON with named fields; unknown fields are ignored, so that
/// two neighbouring versions understand each other as long as fields are only added, with a default.
pub trait WireMessage: Message<Answer: Serialize + DeserializeOwned> + Serialize + DeserializeOwned {}

impl<M> WireMessage for M where M: Message<Answer: Serialize + DeserializeOwned> + Serialize + DeserializeOwned {}

/// Why a tell was not accepted. Once accepted it is delivered at most once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The actor has ended for good.
    #[error("the actor has ended")]
    Closed,
    /// The mailbox, or the queue of the link, is at its limit. Try again later.
    #[error("the mailbox is full: try again later")]
    Full,
    /// No connection to the actor's process at the moment. It is being re-established.
    #[error("no connection to the actor's process; it is being re-established")]
    LinkDown,
    /// The message cannot be sent at all, whatever the state of the receiver.
    #[error("the message cannot be sent: {0}")]
    Refused(String),
}

/// Why an ask has no answer. Unless a variant says otherwise the message may or may not have run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// No answer in time. The message may still run.
    #[error("no answer before the deadline; the request may still be carried out")]
    Deadline,
    /// The actor has ended for good.
    #[error("the actor has ended")]
    Closed,
    /// The receiver let go of the request without an answer, for example because it failed while it handled it.
    #[error("the request was dropped without an answer")]
    Dropped,
    /// Too many asks in flight: the message was not delivered and will not run.
    #[error("too many requests in flight: try again later")]
    Overloaded,
    /// No connection, or it broke before the answer came.
    #[error("no connection to the actor's process")]
    LinkDown,
    /// The other side, or the transport, refuses this message. It was not delivered.
    #[error("refused: {0}")]
    Refused(String),
}

impl From<SendError> for AskError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Closed => Self::Closed,
            SendError::Full => Self::Overloaded,
            SendError::LinkDown => Self::LinkDown,
            SendError::Refused(text) => Self::Refused(text),
        }
    }
}

/// The right to answer one message, once, now or later, from any thread.
///
/// Dropping it unanswered gives the asker [`AskError::Dropped`]. For a message that was told it does nothing.
/// It holds the asker's permit: until it is answered or dropped it counts as in flight.
pub struct Reply<A> {
    to: Option<oneshot::Sender<A>>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl<A> Reply<A> {
    /// The reply of a message that nobody waits for.
    #[must_use]
    pub fn none() -> Self {
        Self { to: None, _permit: None }
    }

    pub(super) fn to(sender: oneshot::Sender<A>, permit: OwnedSemaphorePermit) -> Self {
        Self { to: Some(sender), _permit: Some(permit) }
    }

    /// Answers. Whether the asker still waits is not told: it may have passed its deadline.
    pub fn send(self, answer: A) {
        if let Some(to) = self.to {
            // An asker that left no longer wants the answer.
            let _ = to.send(answer);
        }
    }

    /// Whether somebody still waits for the answer.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.to.as_ref().is_some_and(|to| !to.is_closed())
    }
}

impl<A> fmt::Debug for Reply<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply(wanted: {})", self.is_wanted())
    }
}

/// What lies in a mailbox.
pub(super) enum Envelope<M: Message> {
    /// Sent by somebody who holds the address.
    User { message: M, reply: Reply<M::Answer> },
    /// A timer or the result of a future that the actor itself started, or the text of that future's panic.
    Own { incarnation: u64, task: u64, result: Result<M, Arc<str>> },
}

impl<M: Message> actix::Message for Envelope<M> {
    type Result = ();
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::Semaphore;

    fn pair() -> (Reply<u8>, oneshot::Receiver<u8>, Arc<Semaphore>) {
        let permits = Arc::new(Semaphore::new(1));
        let permit = Arc::clone(&permits).try_acquire_owned().unwrap();
        let (sender, receiver) = oneshot::channel();
        (Reply::to(sender, permit), receiver, permits)
    }

    #[test]
    fn a_reply_answers_and_returns_its_permit() {
        let (reply, mut receiver, permits) = pair();
        assert_eq!(permits.available_permits(), 0);
        assert!(reply.is_wanted());
        reply.send(7);
        assert_eq!(receiver.try_recv(), Ok(7));
        assert_eq!(permits.available_permits(), 1);
    }

    #[test]
    fn a_dropped_reply_is_seen_and_returns_its_permit() {
        let (reply, mut receiver, permits) = pair();
        drop(reply);
        assert_eq!(receiver.try_recv(), Err(oneshot::error::TryRecvError::Closed));
        assert_eq!(permits.available_permits(), 1);
    }

    #[test]
    fn a_reply_to_nobody_is_silent() {
        let reply = Reply::none();
        assert!(!reply.is_wanted());
        reply.send(1);
    }
}
