//! The actors that peers may reach by name. Knows no connection.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::value::RawValue;
use tokio::time::Instant;

use super::PeerIdentity;
use super::metrics::Counter;
use crate::actors::system::message::{AskError, Message, WireMessage};
use crate::actors::system::reference::{ActorRef, Pending};

/// An actor behind a name, whatever it understands.
pub(super) trait Exported: Send + Sync {
    fn tell(&self, from: &PeerIdentity, body: &RawValue) -> Result<(), Counter>;
    /// The message is in the mailbox when this returns, if a permit was free.
    fn call(&self, from: &PeerIdentity, body: &RawValue, deadline: Instant)
    -> Result<Pending<Box<RawValue>>, AskError>;
}

/// Names to actors. Later exports of a name replace earlier ones.
#[derive(Default)]
pub(super) struct Exports {
    by_name: RwLock<BTreeMap<String, Arc<dyn Exported>>>,
}

impl Exports {
    pub fn get(&self, name: &str) -> Option<Arc<dyn Exported>> {
        self.by_name.read().unwrap_or_else(PoisonError::into_inner).get(name).map(Arc::clone)
    }

    pub fn set(&self, name: &str, exported: Arc<dyn Exported>) {
        self.by_name.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), exported);
    }
}

/// An actor that understands `M`, reached by wire messages `W` that `tag` turns into its own, together with who sent
/// them.
pub(super) struct Tagged<W, M: Message, F> {
    actor: ActorRef<M>,
    tag: F,
    wire: PhantomData<fn(W)>,
}

impl<W, M: Message, F> Tagged<W, M, F> {
    pub fn new(actor: ActorRef<M>, tag: F) -> Self {
        Self { actor, tag, wire: PhantomData }
    }
}

impl<W, M, F> Exported for Tagged<W, M, F>
where
    W: WireMessage,
    M: Message<Answer = W::Answer>,
    F: Fn(&PeerIdentity, W) -> M + Send + Sync,
{
    fn tell(&self, from: &PeerIdentity, body: &RawValue) -> Result<(), Counter> {
        let message = serde_json::from_str(body.get()).map_err(|_| Counter::UnreadableBody)?;
        self.actor.tell((self.tag)(from, message)).map_err(|_| Counter::LostTell)
    }

    fn call(
        &self,
        from: &PeerIdentity,
        body: &RawValue,
        deadline: Instant,
    ) -> Result<Pending<Box<RawValue>>, AskError> {
        let message = serde_json::from_str(body.get()).map_err(|error| {
            AskError::Refused(format!("{} does not understand the message: {error}", self.actor.path()))
        })?;
        let pending = Arc::clone(&self.actor.target).ask((self.tag)(from, message), deadline);
        Ok(Box::pin(async move {
            let answer = pending.await?;
            serde_json::value::to_raw_value(&answer).map_err(|error| AskError::Refused(error.to_string()))
        }))
    }
}
