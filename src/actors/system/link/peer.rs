//! `Link`: the lasting end of a pair of processes, over its changing connections; and the remote `ActorRef` on it.
//! It keeps nothing for later: what cannot be sent now is refused now.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use serde_json::value::RawValue;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::frame::{Failure, Frame, Kind, MAX_FRAME_BYTES};
use super::{DownReason, LinkEvent, PeerIdentity};
use crate::actors::system::message::{AskError, Message, SendError, WireMessage};
use crate::actors::system::reference::{ActorRef, Pending, Target};

/// Frames that wait to be written to one connection: a burst of tells, not a backlog.
const QUEUED_FRAMES: usize = 8192;

/// Bytes that wait to be written to one connection: two of the largest frames.
const QUEUED_BYTES: usize = 2 * MAX_FRAME_BYTES;

type Answered = Result<Box<RawValue>, Failure>;

/// One connection as those see it who send over it.
pub(super) struct Connection {
    outgoing: mpsc::UnboundedSender<Bytes>,
    queued_frames: AtomicUsize,
    queued_bytes: AtomicUsize,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Answered>>>,
    next_call: AtomicU64,
    /// Calls of ours that have no answer yet.
    calls: Arc<Semaphore>,
    /// Calls of the peer's that we have not answered yet.
    pub inbound: Arc<Semaphore>,
    end: CancellationToken,
    reason: Mutex<Option<DownReason>>,
}

impl Connection {
    pub fn new(calls_in_flight: usize) -> (Arc<Self>, mpsc::UnboundedReceiver<Bytes>) {
        let (outgoing, to_write) = mpsc::unbounded_channel();
        let connection = Self {
            outgoing,
            queued_frames: AtomicUsize::new(0),
            queued_bytes: AtomicUsize::new(0),
            waiting: Mutex::default(),
            next_call: AtomicU64::new(1),
            calls: Arc::new(Semaphore::new(calls_in_flight)),
            inbound: Arc::new(Semaphore::new(calls_in_flight)),
            end: CancellationToken::new(),
            reason: Mutex::new(None),
        };
        (Arc::new(connection), to_write)
    }

    /// Queues a frame for writing.
    pub fn send(&self, frame: &Frame) -> Result<(), AskError> {
        let bytes = frame.encode()?;
        let size = bytes.len();
        let queued = self.queued_bytes.load(Ordering::Relaxed) + size;
        if self.queued_frames.load(Ordering::Relaxed) >= QUEUED_FRAMES || queued > QUEUED_BYTES {
            return Err(AskError::Overloaded);
        }
        self.queued_frames.fetch_add(1, Ordering::Relaxed);
        self.queued_bytes.fetch_add(size, Ordering::Relaxed);
        self.outgoing.send(bytes).map_err(|_| AskError::LinkDown)
    }

    pub fn written(&self, size: usize) {
        self.queued_frames.fetch_sub(1, Ordering::Relaxed);
        self.queued_bytes.fetch_sub(size, Ordering::Relaxed);
    }

    /// Ends the connection; the first reason counts.
    pub fn close(&self, reason: DownReason) {
        lock(&self.reason).get_or_insert(reason);
        self.end.cancel();
    }

    pub async fn closed(&self) -> DownReason {
        self.end.cancelled().await;
        lock(&self.reason).clone().unwrap_or(DownReason::Stopped)
    }

    /// Every call that waits hears that the link is down, and no new one starts.
    pub fn abandon(&self) {
        self.calls.close();
        lock(&self.waiting).clear();
    }

    pub fn answered(&self, id: u64, answer: Answered) {
        let waiting = lock(&self.waiting).remove(&id);
        if let Some(waiting) = waiting {
            // A caller that left at this moment no longer wants it.
            let _ = waiting.send(answer);
        }
    }

    async fn call(
        self: Arc<Self>,
        to: &str,
        body: Box<RawValue>,
        deadline: Instant,
    ) -> Result<Box<RawValue>, AskError> {
        let _permit = match timeout_at(deadline, Arc::clone(&self.calls).acquire_owned()).await {
            Err(_) => return Err(AskError::Overloaded),
            Ok(Err(_)) => return Err(AskError::LinkDown),
            Ok(Ok(permit)) => permit,
        };
        let id = self.next_call.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        lock(&self.waiting).insert(id, answer);
        let _forget = Forget { connection: &self, id };
        let left = deadline.saturating_duration_since(Instant::now());
        let deadline_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX).max(1);
        self.send(&Frame { id, to: to.to_owned(), deadline_ms, body: Some(body), ..Frame::new(Kind::Call) })?;
        if self.end.is_cancelled() {
            return Err(AskError::LinkDown); // it ended between the look and the entry above
        }
        match timeout_at(deadline, answered).await {
            Err(_) => Err(AskError::Deadline),
            Ok(Err(_)) => Err(AskError::LinkDown),
            Ok(Ok(answer)) => answer.map_err(AskError::from),
        }
    }
}

/// Takes a call off the list however its caller leaves.
struct Forget<'a> {
    connection: &'a Connection,
    id: u64,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        lock(&self.connection.waiting).remove(&self.id);
    }
}

pub(super) struct Lasting {
    peer_name: String,
    connection: ArcSwapOption<Connection>,
    peer: ArcSwapOption<PeerIdentity>,
    // Held while the connection changes and the change is published: events come in the order of the changes.
    change: Mutex<()>,
    pub stopped: CancellationToken,
}

/// The lasting end of a pair of processes. Clones are the same link. It survives reconnects.
#[derive(Clone)]
pub struct Link {
    pub(super) lasting: Arc<Lasting>,
}

impl Link {
    pub(super) fn new(peer_name: &str, stopped: CancellationToken) -> Self {
        let lasting = Lasting {
            peer_name: peer_name.to_owned(),
            connection: ArcSwapOption::empty(),
            peer: ArcSwapOption::empty(),
            change: Mutex::new(()),
            stopped,
        };
        Self { lasting: Arc::new(lasting) }
    }

    /// The name of the other process.
    #[must_use]
    pub fn peer_name(&self) -> &str {
        &self.lasting.peer_name
    }

    /// Whether both are the same link, not only two to the same peer.
    #[must_use]
    pub fn is_same(&self, other: &Link) -> bool {
        Arc::ptr_eq(&self.lasting, &other.lasting)
    }

    /// Who is at the other end at the moment.
    #[must_use]
    pub fn peer(&self) -> Option<Arc<PeerIdentity>> {
        self.lasting.connection.load().as_ref()?;
        self.lasting.peer.load_full()
    }

    /// Whether there is a connection at the moment.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.lasting.connection.load().is_some()
    }

    /// The address of the actor that the peer exports as `name`. It survives reconnects; while the link is down
    /// sends fail with `LinkDown`. Whether there is such an actor is told by the answer to an ask.
    #[must_use]
    pub fn actor_ref<M: WireMessage>(&self, name: &str) -> ActorRef<M> {
        let path = format!("{}:{name}", self.peer_name());
        let (link, name) = (self.clone(), name.to_owned());
        ActorRef::new(Arc::new(Remote { link, name, path, message: PhantomData }))
    }

    /// Ends the connection, and for the end that dials also the reconnecting.
    pub fn close(&self) {
        self.lasting.stopped.cancel();
        if let Some(connection) = self.lasting.connection.load_full() {
            connection.close(DownReason::Stopped);
        }
    }

    /// A new connection takes the place of the one before; `publish` hears of both.
    pub(super) fn attach(&self, connection: &Arc<Connection>, peer: PeerIdentity, publish: impl Fn(LinkEvent)) {
        let _change = lock(&self.lasting.change);
        self.lasting.peer.store(Some(Arc::new(peer.clone())));
        if let Some(former) = self.lasting.connection.swap(Some(Arc::clone(connection))) {
            former.close(DownReason::Replaced);
            publish(LinkEvent::Down { link: self.clone(), reason: DownReason::Replaced });
        }
        publish(LinkEvent::Up { link: self.clone(), peer });
    }

    /// Takes the connection away and publishes why, unless another has taken its place.
    pub(super) fn detach(&self, connection: &Arc<Connection>, reason: DownReason, publish: impl Fn(LinkEvent)) {
        connection.close(reason.clone());
        connection.abandon();
        let _change = lock(&self.lasting.change);
        let present = self.lasting.connection.compare_and_swap(connection, None);
        if present.as_ref().is_some_and(|present| Arc::ptr_eq(present, connection)) {
            publish(LinkEvent::Down { link: self.clone(), reason });
        }
    }
}

/// An actor at the other end of a link.
struct Remote<M> {
    link: Link,
    name: String,
    path: String,
    message: PhantomData<fn(M)>,
}

impl<M: WireMessage> Target<M> for Remote<M> {
    fn path(&self) -> &str {
        &self.path
    }

    fn tell(&self, message: M) -> Result<(), SendError> {
        let connection = self.link.lasting.connection.load_full().ok_or(SendError::LinkDown)?;
        let body = encode(&message).map_err(SendError::Refused)?;
        let frame = Frame { to: self.name.clone(), body: Some(body), ..Frame::new(Kind::Tell) };
        connection.send(&frame).map_err(|error| match error {
            AskError::Overloaded => SendError::Full,
            AskError::Refused(text) => SendError::Refused(text),
            _ => SendError::LinkDown,
        })
    }

    fn ask(self: Arc<Self>, message: M, deadline: Instant) -> Pending<M::Answer> {
        let connection = self.link.lasting.connection.load_full();
        let body = encode(&message);
        Box::pin(async move {
            let connection = connection.ok_or(AskError::LinkDown)?;
            let answer = connection.call(&self.name, body.map_err(AskError::Refused)?, deadline).await?;
            serde_json::from_str(answer.get())
                .map_err(|error| AskError::Refused(format!("{} answers in a way not understood: {error}", self.path)))
        })
    }

    fn is_closed(&self) -> bool {
        false
    }
}

fn encode<M: Message + serde::Serialize>(message: &M) -> Result<Box<RawValue>, String> {
    serde_json::value::to_raw_value(message).map_err(|error| error.to_string())
}

/// A panic never happens while one of these locks is held in a half-changed state, so poison means nothing here.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The wait that a peer's deadline asks for.
pub(super) fn deadline_of(frame: &Frame) -> Instant {
    // A peer's absurd deadline is no reason to overflow.
    const LONGEST: Duration = Duration::from_secs(24 * 3600);
    Instant::now() + Duration::from_millis(frame.deadline_ms).min(LONGEST)
}
