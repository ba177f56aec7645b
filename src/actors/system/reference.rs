//! `ActorRef`: the address of an actor, the same type whether it lives here or in another process.
//! Never blocks a thread, never keeps an actor alive.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
use tokio::time::{Instant, timeout_at};

use super::message::{AskError, Envelope, Message, Reply, SendError};
use super::registry::Status;

/// The answer of an ask that is on its way.
pub(super) type Pending<A> = Pin<Box<dyn Future<Output = Result<A, AskError>> + Send>>;

/// Where an address leads.
pub(super) trait Target<M: Message>: Send + Sync {
    fn path(&self) -> &str;
    fn tell(&self, message: M) -> Result<(), SendError>;
    /// Waits for a permit, sends, and waits for the answer, all before `deadline`.
    fn ask(self: Arc<Self>, message: M, deadline: Instant) -> Pending<M::Answer>;
    fn is_closed(&self) -> bool;
}

/// The address of an actor that understands `M`. It stays good over restarts and over reconnects.
pub struct ActorRef<M: Message> {
    pub(super) target: Arc<dyn Target<M>>,
}

impl<M: Message> ActorRef<M> {
    pub(super) fn new(target: Arc<dyn Target<M>>) -> Self {
        Self { target }
    }

    /// The path of the actor, such as `satellite/resource/pvc-1`; with the peer's name in front if it is remote.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.path()
    }

    /// Sends without waiting. Messages of one sender to one actor are handled in the order in which they were sent.
    ///
    /// # Errors
    /// The message was not accepted; it will not run.
    pub fn tell(&self, message: M) -> Result<(), SendError> {
        self.target.tell(message)
    }

    /// Sends and waits for the answer, at most for `deadline`, the wait for a permit included.
    ///
    /// # Errors
    /// See [`AskError`]: only `Overloaded` and `Refused` say that the message did not run.
    pub async fn ask(&self, message: M, deadline: Duration) -> Result<M::Answer, AskError> {
        let until = Instant::now() + deadline;
        Arc::clone(&self.target).ask(message, until).await
    }

    /// Whether the actor has ended for good. A remote actor is never known to have ended.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.target.is_closed()
    }
}

impl<M: Message> Clone for ActorRef<M> {
    fn clone(&self) -> Self {
        Self { target: Arc::clone(&self.target) }
    }
}

impl<M: Message> fmt::Debug for ActorRef<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ActorRef({})", self.path())
    }
}

/// The near end of a mailbox in this process.
pub(super) struct LocalTarget<M: Message> {
    recipient: actix::Recipient<Envelope<M>>,
    status: Arc<Status>,
    permits: Arc<Semaphore>,
    mailbox_limit: usize,
    closed: AtomicBool,
}

impl<M: Message> LocalTarget<M> {
    pub(super) fn new(recipient: actix::Recipient<Envelope<M>>, status: Arc<Status>, limits: (usize, usize)) -> Self {
        let (asks, mailbox_limit) = limits;
        let permits = Arc::new(Semaphore::new(asks));
        Self { recipient, status, permits, mailbox_limit, closed: AtomicBool::new(false) }
    }

    /// From now on every send is refused, and every ask that waits hears `Closed`.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.permits.close();
    }

    /// Puts an envelope of the actor's own (timer, result) into the mailbox, whatever its depth.
    pub(super) fn post(&self, envelope: Envelope<M>) -> Result<(), SendError> {
        self.status.queued();
        self.recipient.try_send(envelope).map_err(|_| {
            self.status.unqueued();
            SendError::Closed
        })
    }

    fn post_within_limit(&self, envelope: Envelope<M>) -> Result<(), SendError> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(SendError::Closed);
        }
        if self.status.depth() >= self.mailbox_limit {
            return Err(SendError::Full);
        }
        self.post(envelope)
    }

    /// `Closed` if the actor ended, else what the receiver did: it dropped the reply.
    fn reason_of_silence(&self) -> AskError {
        if self.closed.load(Ordering::SeqCst) { AskError::Closed } else { AskError::Dropped }
    }
}

impl<M: Message> Target<M> for LocalTarget<M> {
    fn path(&self) -> &str {
        self.status.path()
    }

    fn tell(&self, message: M) -> Result<(), SendError> {
        self.post_within_limit(Envelope::User { message, reply: Reply::none() })
    }

    fn ask(self: Arc<Self>, message: M, deadline: Instant) -> Pending<M::Answer> {
        // With a free permit the message is queued before this function returns: that keeps the order of a caller.
        let permit = Arc::clone(&self.permits).try_acquire_owned().ok();
        let (sender, receiver) = oneshot::channel();
        let (mut posted, waiting) = match permit {
            Some(permit) => {
                let reply = Reply::to(sender, permit);
                (self.post_within_limit(Envelope::User { message, reply }), None)
            }
            None => (Ok(()), Some((message, sender))),
        };
        Box::pin(async move {
            if let Some((message, sender)) = waiting {
                let permit = match timeout_at(deadline, Arc::clone(&self.permits).acquire_owned()).await {
                    Err(_) => return Err(AskError::Overloaded),
                    Ok(Err(_)) => return Err(AskError::Closed),
                    Ok(Ok(permit)) => permit,
                };
                posted = self.post_within_limit(Envelope::User { message, reply: Reply::to(sender, permit) });
            }
            posted?;
            match timeout_at(deadline, receiver).await {
                Err(_) => Err(AskError::Deadline),
                Ok(Err(_)) => Err(self.reason_of_silence()),
                Ok(Ok(answer)) => Ok(answer),
            }
        })
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }
}

/// The address behind a registry entry, if the actor understands `M`.
pub(super) fn downcast<M: Message>(target: Arc<dyn Any + Send + Sync>) -> Option<ActorRef<M>> {
    let local: Arc<LocalTarget<M>> = target.downcast().ok()?;
    Some(ActorRef::new(local))
}
