//! Contact with one node's satellite: hello, full sync, and then every change, each resource whole. When anything is
//! lost on the way the full state goes out again. Decides nothing.
//!
//! ```text
//! away --(link up)--> hello --(facts)--> syncing --(accepted)--> online --(ask fails, link down)--> away
//! ```

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::api::{ClusterMessage, View};
use crate::actors::system::link::{Endpoint, Link, LinkEvent};
use crate::actors::system::{ActorRef, AskError, Behaviour, Context, Message, Reply};
use crate::model::derive::{desired_node, desired_pools};
use crate::model::desired::DesiredResource;
use crate::model::kinds::ConnectionStatus;
use crate::model::moment::EpochMs;
use crate::model::names::{NodeName, RscName};
use crate::model::observed::NodeStatus;
use crate::model::report::SatelliteFacts;
use crate::protocols::wire::{SatelliteAnswer, ToSatellite};

/// How long a satellite may take to answer. It only takes the message over; a full sync prepares pools, which asks disks.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// Pause before the next attempt with a satellite that is reachable and does not answer as it should.
const RETRY_PAUSE: Duration = Duration::from_secs(5);

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
    /// Not at all, and why.
    Nowhere(&'static str),
}

/// A message to this actor.
#[derive(Debug)]
pub enum NodeMessage {
    /// Resources that changed.
    Apply(Vec<DesiredResource>),
    /// The node's record changed: its pools may have.
    Pools,
    /// Ask for the room of its pools.
    Capacity,
    /// Drop the contact and make it anew.
    Reconnect,
    /// The satellite has forgotten what it was told; the contact itself stands.
    Resync,
    /// The link came up or went down.
    Link(LinkEvent),
    /// Try again.
    Retry,
    /// The satellite answered, or did not, to what was sent in this round.
    Answered(u64, Result<SatelliteAnswer, AskError>),
    /// The same for capacities that somebody waits for.
    Capacities(Result<SatelliteAnswer, AskError>, Box<Reply<bool>>),
}

impl Message for NodeMessage {
    type Answer = bool;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Away,
    Hello,
    Syncing,
    Online,
}

/// Whether a first failure is followed by an attempt at once: a part of a satellite that was restarted is there again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Soon {
    Yes,
    No,
}

/// The link that an incarnation dialled: closed with it, however it ends, so that none is left that nobody owns.
struct Dialled(Link);

impl Drop for Dialled {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// See the module.
pub struct NodeActor {
    node: NodeName,
    way: Way,
    view: View,
    cluster: ActorRef<ClusterMessage>,
    link: Option<Dialled>,
    satellite: Option<ActorRef<ToSatellite>>,
    phase: Phase,
    /// Rises with each contact: answers of an earlier one are not listened to.
    round: u64,
    /// A message is on its way.
    busy: bool,
    waiting: BTreeMap<RscName, DesiredResource>,
    pools_changed: bool,
    attempts: u64,
    facts: Option<Arc<SatelliteFacts>>,
}

impl NodeActor {
    /// Without contact.
    #[must_use]
    pub fn new(node: NodeName, way: Way, around: (View, ActorRef<ClusterMessage>)) -> Self {
        Self {
            node,
            way,
            view: around.0,
            cluster: around.1,
            link: None,
            satellite: None,
            phase: Phase::Away,
            round: 0,
            busy: false,
            waiting: BTreeMap::new(),
            pools_changed: false,
            attempts: 0,
            facts: None,
        }
    }

    fn connect(&mut self, ctx: &mut Ctx) {
        match self.way.clone() {
            Way::Local(satellite) => self.hello(satellite, ctx),
            Way::Nowhere(why) => self.status(ConnectionStatus::NoSatelliteConnection, Some(why.to_owned())),
            Way::Remote { endpoint, address } => {
                match endpoint.dial(&address.to_string(), &self.node.as_str().to_ascii_lowercase()) {
                    Ok(link) => self.link = Some(Dialled(link)),
                    Err(error) => self.status(ConnectionStatus::Offline, Some(error.to_string())),
                }
            }
        }
    }

    fn disconnect(&mut self) {
        self.link = None;
        self.away();
    }

    fn away(&mut self) {
        self.round += 1;
        self.phase = Phase::Away;
        self.busy = false;
        self.satellite = None;
        self.waiting.clear();
        self.pools_changed = false;
    }

    fn hello(&mut self, satellite: ActorRef<ToSatellite>, ctx: &mut Ctx) {
        self.away();
        self.satellite = Some(satellite);
        self.phase = Phase::Hello;
        let cluster = self.view.load().controller.cluster;
        self.send(ToSatellite::Hello { cluster, node: self.node.clone() }, ctx);
    }

    fn send(&mut self, message: ToSatellite, ctx: &mut Ctx) {
        let Some(satellite) = self.satellite.clone() else {
            return;
        };
        self.busy = true;
        let round = self.round;
        ctx.run(async move { satellite.ask(message, ANSWER_LIMIT).await }, move |answer| {
            NodeMessage::Answered(round, answer)
        });
    }

    fn answered(&mut self, answer: Result<SatelliteAnswer, AskError>, ctx: &mut Ctx) {
        self.busy = false;
        match (self.phase, answer) {
            (Phase::Hello, Ok(SatelliteAnswer::Facts(facts))) => {
                self.facts = Some(Arc::new(facts));
                // A node that is told everything again because somebody was restarted was online all the time.
                if !self.view.load().is_online(&self.node) {
                    self.status(ConnectionStatus::Connected, None);
                }
                self.sync(ctx);
            }
            (Phase::Syncing, Ok(SatelliteAnswer::Accepted)) => {
                self.phase = Phase::Online;
                self.attempts = 0;
                self.status(ConnectionStatus::Online, None);
                self.refresh_capacity(ctx, Reply::none());
                self.next(ctx);
            }
            (Phase::Online, Ok(SatelliteAnswer::Accepted)) => self.next(ctx),
            (Phase::Away, _) => {}
            (_, Ok(SatelliteAnswer::Refused(why))) => {
                self.failed(ConnectionStatus::FullSyncFailed, (why, Soon::Yes), ctx)
            }
            (_, Ok(other)) => {
                let why = format!("unexpected answer {other:?}");
                self.failed(ConnectionStatus::VersionMismatch, (why, Soon::No), ctx);
            }
            (_, Err(error)) => {
                let soon = if error == AskError::Dropped { Soon::Yes } else { Soon::No };
                self.failed(ConnectionStatus::Offline, (error.to_string(), soon), ctx);
            }
        }
    }

    fn sync(&mut self, ctx: &mut Ctx) {
        let cluster = self.view.load();
        let Some(node) = cluster.nodes.get(&self.node) else {
            return;
        };
        self.phase = Phase::Syncing;
        let (pools, resources) = desired_node(&cluster, node);
        self.send(ToSatellite::FullSync { pools, resources }, ctx);
    }

    /// Sends what has gathered, one message at a time.
    fn next(&mut self, ctx: &mut Ctx) {
        if self.busy || self.phase != Phase::Online {
            return;
        }
        if std::mem::take(&mut self.pools_changed) {
            let cluster = self.view.load();
            if let Some(node) = cluster.nodes.get(&self.node) {
                let pools = desired_pools(&cluster, node);
                self.send(ToSatellite::Pools(pools), ctx);
                self.refresh_capacity(ctx, Reply::none());
            }
            return;
        }
        let resources: Vec<DesiredResource> = std::mem::take(&mut self.waiting).into_values().collect();
        if !resources.is_empty() {
            self.send(ToSatellite::Apply(resources), ctx);
        }
    }

    fn failed(&mut self, status: ConnectionStatus, (why, soon): (String, Soon), ctx: &mut Ctx) {
        tracing::warn!(node = %self.node, reason = %why, "contact with a satellite failed");
        self.away();
        self.attempts += 1;
        if self.attempts == 1 && soon == Soon::Yes {
            return self.retry(ctx);
        }
        self.status(status, Some(why));
        ctx.notify_after(RETRY_PAUSE, NodeMessage::Retry);
    }

    fn retry(&mut self, ctx: &mut Ctx) {
        if self.phase != Phase::Away {
            return;
        }
        match (&self.way, self.link.as_ref().map(|link| link.0.clone())) {
            (Way::Remote { .. }, Some(link)) if link.is_up() => self.hello(link.actor_ref("satellite"), ctx),
            (Way::Remote { .. }, Some(_)) => {}
            _ => self.connect(ctx),
        }
    }

    /// Once contact stands; before that everything is on its way anyway.
    fn resync(&mut self, ctx: &mut Ctx) {
        let told = matches!(self.phase, Phase::Syncing | Phase::Online);
        if let Some(satellite) = self.satellite.clone().filter(|_| told) {
            self.hello(satellite, ctx);
        }
    }

    fn link_event(&mut self, event: LinkEvent, ctx: &mut Ctx) {
        let (LinkEvent::Up { link, .. } | LinkEvent::Down { link, .. }) = &event;
        // What becomes of a link that was closed long ago is nobody's concern.
        if !self.link.as_ref().is_some_and(|own| own.0.is_same(link)) {
            return;
        }
        match event {
            LinkEvent::Up { link, .. } => self.hello(link.actor_ref("satellite"), ctx),
            LinkEvent::Down { reason, .. } => {
                self.away();
                self.attempts += 1;
                self.status(ConnectionStatus::Offline, Some(reason.to_string()));
            }
        }
    }

    fn refresh_capacity(&mut self, ctx: &mut Ctx, reply: Reply<bool>) {
        let Some(satellite) = self.satellite.clone().filter(|_| self.phase == Phase::Online) else {
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

    fn status(&self, status: ConnectionStatus, reason: Option<String>) {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let status = NodeStatus {
            status,
            since: EpochMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)),
            attempts: self.attempts,
            facts: self.facts.clone(),
            reason,
        };
        let message = ClusterMessage::NodeStatus(self.node.clone(), Box::new(status));
        if let Err(error) = self.cluster.tell(message) {
            tracing::warn!(node = %self.node, %error, "the state of a node could not be told");
        }
    }
}

impl Behaviour for NodeActor {
    type Message = NodeMessage;

    fn started(&mut self, ctx: &mut Ctx) {
        self.connect(ctx);
    }

    fn handle(&mut self, message: NodeMessage, reply: Reply<bool>, ctx: &mut Ctx) {
        match message {
            NodeMessage::Apply(resources) => {
                let online = matches!(self.phase, Phase::Online | Phase::Syncing);
                for desired in resources.into_iter().filter(|_| online) {
                    let known = self.waiting.get(&desired.rsc);
                    if known.is_none_or(|known| known.generation <= desired.generation) {
                        self.waiting.insert(desired.rsc.clone(), desired);
                    }
                }
                self.next(ctx);
            }
            NodeMessage::Pools => {
                self.pools_changed = true;
                self.next(ctx);
            }
            NodeMessage::Capacity => return self.refresh_capacity(ctx, reply),
            NodeMessage::Reconnect => {
                self.disconnect();
                self.status(ConnectionStatus::Offline, Some("reconnecting".to_owned()));
                self.connect(ctx);
            }
            NodeMessage::Resync => self.resync(ctx),
            NodeMessage::Link(event) => self.link_event(event, ctx),
            NodeMessage::Retry => self.retry(ctx),
            NodeMessage::Answered(round, answer) if round == self.round => self.answered(answer, ctx),
            NodeMessage::Answered(..) => {}
            NodeMessage::Capacities(answer, reply) => return self.capacities(answer, *reply, ctx),
        }
        reply.send(true);
    }
}
