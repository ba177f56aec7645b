//! Contact with one node's satellite: carries out what `model::conduct::contact` says, over a mailbox or a link. Decides
//! nothing, not even when to try again.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::api::{ClusterMessage, View};
use super::moment::now;
use crate::actors::system::link::{Endpoint, Link, LinkEvent};
use crate::actors::system::{ActorRef, AskError, Behaviour, Context, Message, Reply};
use crate::model::conduct::contact::{Contact, ContactEffect, ContactEvent, Errand, Lost, Reception};
use crate::model::kinds::ConnectionStatus;
use crate::model::names::NodeName;
use crate::model::observed::NodeStatus;
use crate::protocols::wire::{SatelliteAnswer, ToSatellite};

/// How long a satellite may take to answer. It only takes the message over; a full sync prepares pools, which asks disks.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

type Ctx = Context<NodeMessage>;

/// How the node's satellite is reached.
#[derive(Clone)]
pub enum Way {
    /// In this process.
    Local(ActorRef<ToSatellite>),
    /// Over a link.
    Remote {
        /// This process.
        endpoint: Endpoint,
        /// Where it listens.
        address: SocketAddr,
    },
    /// Not at all.
    Nowhere,
}

/// A message to this actor.
#[derive(Debug)]
pub enum NodeMessage {
    /// Something happened that contact depends on.
    Happened(ContactEvent),
    /// Ask for the room of its pools; answered when the view has it, or with `false`.
    Capacity,
    /// A link came up or went down, this one or a former one.
    Link(LinkEvent),
    /// The satellite answered, or did not, to what was sent in this round.
    Answered(u64, Result<SatelliteAnswer, AskError>),
    /// The same for capacities that somebody waits for.
    Capacities(Result<SatelliteAnswer, AskError>, Box<Reply<bool>>),
}

impl Message for NodeMessage {
    type Answer = bool;
}

/// The link that an incarnation dialled: closed with it, however it ends, so that none is left that nobody owns.
struct Dialled {
    link: Link,
    satellite: ActorRef<ToSatellite>,
}

impl Drop for Dialled {
    fn drop(&mut self) {
        self.link.close();
    }
}

/// See the module.
pub struct NodeActor {
    contact: Contact,
    began: Instant,
    node: NodeName,
    way: Way,
    view: View,
    cluster: ActorRef<ClusterMessage>,
    link: Option<Dialled>,
    logged: Option<ConnectionStatus>,
}

impl NodeActor {
    /// Without contact.
    #[must_use]
    pub fn new(contact: Contact, (node, way): (NodeName, Way), around: (View, ActorRef<ClusterMessage>)) -> Self {
        Self { contact, began: Instant::now(), node, way, view: around.0, cluster: around.1, link: None, logged: None }
    }

    fn happened(&mut self, event: ContactEvent, ctx: &mut Ctx) {
        let effects = self.contact.handle(event, &self.view.load(), now(self.began));
        self.carry_out(effects, ctx);
    }

    fn carry_out(&mut self, effects: Vec<ContactEffect>, ctx: &mut Ctx) {
        for effect in effects {
            match effect {
                ContactEffect::Dial => self.dial(ctx),
                ContactEffect::Close => self.link = None,
                ContactEffect::Send(round, errand) => self.send(round, errand.into(), ctx),
                ContactEffect::AskCapacity => self.ask_capacity(Reply::none(), ctx),
                ContactEffect::Status(status) => self.status(status),
                ContactEffect::RetryAfter(pause) => {
                    ctx.notify_after(pause, NodeMessage::Happened(ContactEvent::Retry));
                }
                ContactEffect::Failed(reason) => {
                    tracing::warn!(node = %self.node, reason, "contact with a satellite failed");
                }
            }
        }
    }

    fn dial(&mut self, ctx: &mut Ctx) {
        let Way::Remote { endpoint, address } = &self.way else {
            return;
        };
        match endpoint.dial(&address.to_string(), &self.node.as_str().to_ascii_lowercase()) {
            Ok(link) => self.link = Some(Dialled { satellite: link.actor_ref("satellite"), link }),
            Err(error) => self.happened(ContactEvent::DialFailed(error.to_string()), ctx),
        }
    }

    fn satellite(&self) -> Option<ActorRef<ToSatellite>> {
        match &self.way {
            Way::Local(satellite) => Some(satellite.clone()),
            Way::Remote { .. } => self.link.as_ref().map(|own| own.satellite.clone()),
            Way::Nowhere => None,
        }
    }

    fn send(&self, round: u64, message: ToSatellite, ctx: &mut Ctx) {
        let Some(satellite) = self.satellite() else {
            return;
        };
        ctx.run(async move { satellite.ask(message, ANSWER_LIMIT).await }, move |answer| {
            NodeMessage::Answered(round, answer)
        });
    }

    fn link_event(&mut self, event: LinkEvent, ctx: &mut Ctx) {
        let (LinkEvent::Up { link, .. } | LinkEvent::Down { link, .. }) = &event;
        // What becomes of a link that was closed long ago is nobody's concern.
        if !self.link.as_ref().is_some_and(|own| own.link.is_same(link)) {
            return;
        }
        let event = match event {
            LinkEvent::Up { .. } => ContactEvent::LinkUp,
            LinkEvent::Down { reason, .. } => ContactEvent::LinkDown(reason.to_string()),
        };
        self.happened(event, ctx);
    }

    /// Somebody waits for the room of the node's pools.
    fn capacity(&mut self, reply: Reply<bool>, ctx: &mut Ctx) {
        let effects = self.contact.handle(ContactEvent::CapacityWanted, &self.view.load(), now(self.began));
        if effects.contains(&ContactEffect::AskCapacity) {
            self.ask_capacity(reply, ctx);
        } else {
            reply.send(false);
        }
    }

    fn ask_capacity(&self, reply: Reply<bool>, ctx: &mut Ctx) {
        let Some(satellite) = self.satellite() else {
            reply.send(false);
            return;
        };
        ctx.run(async move { satellite.ask(ToSatellite::Capacity(Vec::new()), ANSWER_LIMIT).await }, |answer| {
            NodeMessage::Capacities(answer, Box::new(reply))
        });
    }

    fn capacities(&self, answer: Result<SatelliteAnswer, AskError>, reply: Reply<bool>, ctx: &mut Ctx) {
        let Ok(SatelliteAnswer::Capacities(reports)) = answer else {
            reply.send(false);
            return;
        };
        let (cluster, node) = (self.cluster.clone(), self.node.clone());
        ctx.workers().spawn(async move {
            let taken = cluster.ask(ClusterMessage::Capacities(node, reports), ANSWER_LIMIT).await;
            reply.send(taken.is_ok());
        });
    }

    fn status(&mut self, status: NodeStatus) {
        self.log(&status);
        let message = ClusterMessage::NodeStatus(self.node.clone(), Box::new(status));
        if let Err(error) = self.cluster.tell(message) {
            tracing::warn!(node = %self.node, %error, "the state of a node could not be told");
        }
    }
}

impl NodeActor {
    /// A satellite over a link that came or went. Those of this process come and go with it.
    fn log(&mut self, status: &NodeStatus) {
        let passing = status.status == ConnectionStatus::Connected;
        if passing || self.logged == Some(status.status) || !matches!(self.way, Way::Remote { .. }) {
            return;
        }
        let before = self.logged.replace(status.status);
        let (node, reason) = (&self.node, status.reason.as_deref().unwrap_or_default());
        match status.status {
            ConnectionStatus::Online => tracing::info!(%node, "a satellite is online"),
            now if before == Some(ConnectionStatus::Online) => {
                tracing::warn!(%node, state = now.as_str(), reason, "a satellite is no longer online");
            }
            now => tracing::info!(%node, state = now.as_str(), reason, "a satellite is not online yet"),
        }
    }
}

impl Behaviour for NodeActor {
    type Message = NodeMessage;

    fn started(&mut self, ctx: &mut Ctx) {
        self.happened(ContactEvent::Begin, ctx);
    }

    fn handle(&mut self, message: NodeMessage, reply: Reply<bool>, ctx: &mut Ctx) {
        match message {
            NodeMessage::Happened(event) => self.happened(event, ctx),
            NodeMessage::Capacity => return self.capacity(reply, ctx),
            NodeMessage::Link(event) => self.link_event(event, ctx),
            NodeMessage::Answered(round, answer) => {
                self.happened(ContactEvent::Answered(round, received(answer)), ctx);
            }
            NodeMessage::Capacities(answer, reply) => return self.capacities(answer, *reply, ctx),
        }
        reply.send(true);
    }
}

impl From<Errand> for ToSatellite {
    fn from(errand: Errand) -> Self {
        match errand {
            Errand::Hello { cluster, node } => Self::Hello { cluster, node },
            Errand::FullSync { pools, resources } => Self::FullSync { pools, resources },
            Errand::Pools(pools) => Self::Pools(pools),
            Errand::Apply(resources) => Self::Apply(resources),
        }
    }
}

fn received(answer: Result<SatelliteAnswer, AskError>) -> Result<Reception, Lost> {
    match answer {
        Ok(SatelliteAnswer::Facts(facts)) => Ok(Reception::Facts(facts)),
        Ok(SatelliteAnswer::Accepted) => Ok(Reception::Accepted),
        Ok(SatelliteAnswer::Refused(why)) => Ok(Reception::Refused(why)),
        Ok(other) => Ok(Reception::Other(format!("{other:?}"))),
        Err(AskError::Dropped) => Err(Lost::Dropped(AskError::Dropped.to_string())),
        Err(error) => Err(Lost::Unanswered(error.to_string())),
    }
}
