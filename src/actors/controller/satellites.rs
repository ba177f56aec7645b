//! Keeps contact with every node's satellite: one child a node, started and ended as `model::conduct::contacts` says.
//! Knows no decision; what nodes have to do it is told, and what they report it passes on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::api::{ClusterMessage, View};
use super::satellite_link::{NodeActor, NodeMessage, Way};
use crate::actors::system::link::{Endpoint, LinkEvent};
use crate::actors::system::{ActorRef, Behaviour, Context, Message, Reply, Spec};
use crate::model::conduct::contact::{Contact, ContactEvent, Reach};
use crate::model::conduct::contacts::{Contacts, ContactsEffect, Means};
use crate::model::names::NodeName;
use crate::model::news::News;
use crate::protocols::wire::ToSatellite;

/// How long nodes are waited for when somebody asks for fresh capacities: a list must not hang on a sick node.
const CAPACITY_LIMIT: Duration = Duration::from_secs(5);

type Ctx = Context<SatellitesMessage>;

/// A message to this actor.
#[derive(Debug)]
pub enum SatellitesMessage {
    /// Nodes have to be told something, or to be connected to.
    News(Box<News>),
    /// Drop the contact with a node and make it anew.
    Reconnect(NodeName),
    /// Ask these nodes, or all, for the room of their pools. Answered when they have, or after a moment.
    Capacity(Vec<NodeName>),
    /// A node's satellite has forgotten what it was told: tell it everything again.
    Resync(NodeName),
    /// A link came up or went down.
    Link(LinkEvent),
    /// The nodes have answered.
    Asked(Box<Reply<bool>>),
}

impl Message for SatellitesMessage {
    type Answer = bool;
}

impl From<LinkEvent> for SatellitesMessage {
    fn from(event: LinkEvent) -> Self {
        Self::Link(event)
    }
}

/// Satellites in this process, by node name: the standalone's own, and simulated ones. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct LocalSatellites(Arc<Mutex<BTreeMap<NodeName, ActorRef<ToSatellite>>>>);

impl LocalSatellites {
    /// Adds one. Contact is made at the next news of its node.
    pub fn add(&self, node: NodeName, satellite: ActorRef<ToSatellite>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(node, satellite);
    }

    fn get(&self, node: &NodeName) -> Option<ActorRef<ToSatellite>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(node).cloned()
    }
}

/// What this actor needs of the outside.
#[derive(Clone)]
pub struct Surroundings {
    /// The committed cluster.
    pub view: View,
    /// Where reports go.
    pub cluster: ActorRef<ClusterMessage>,
    /// Satellites in this process.
    pub local: LocalSatellites,
    /// For satellites in other processes; without it none can be reached.
    pub endpoint: Option<Endpoint>,
}

impl Surroundings {
    fn means(&self, node: &NodeName) -> Means {
        match (self.local.get(node), &self.endpoint) {
            (Some(_), _) => Means::Here,
            (None, Some(_)) => Means::Links,
            (None, None) => Means::Nothing,
        }
    }

    fn way(&self, node: &NodeName, reach: Reach) -> Way {
        match reach {
            Reach::Local => self.local.get(node).map_or(Way::Nowhere, Way::Local),
            Reach::Remote(address) => {
                self.endpoint.clone().map_or(Way::Nowhere, |endpoint| Way::Remote { endpoint, address })
            }
            Reach::Nowhere(_) => Way::Nowhere,
        }
    }
}

/// See the module.
pub struct Satellites {
    around: Surroundings,
    contacts: Contacts,
    actors: BTreeMap<NodeName, ActorRef<NodeMessage>>,
}

impl Satellites {
    /// Without any contact yet.
    #[must_use]
    pub fn new(around: Surroundings) -> Self {
        Self { around, contacts: Contacts::default(), actors: BTreeMap::new() }
    }

    fn news(&mut self, news: News, ctx: &mut Ctx) {
        let cluster = self.around.view.load();
        for effect in self.contacts.news(news, &cluster, |node| self.around.means(node)) {
            match effect {
                ContactsEffect::Begin(name, reach) => self.begin(name, reach, ctx),
                ContactsEffect::End(name) => {
                    self.actors.remove(&name);
                    ctx.stop_child(&child_name(&name));
                }
                ContactsEffect::Tell(name, event) => self.tell(&name, NodeMessage::Happened(event)),
            }
        }
    }

    fn begin(&mut self, name: NodeName, reach: Reach, ctx: &mut Ctx) {
        let way = self.around.way(&name, reach);
        let around = (self.around.view.clone(), self.around.cluster.clone());
        let node = name.clone();
        let make =
            move || NodeActor::new(Contact::new(node.clone(), reach), (node.clone(), way.clone()), around.clone());
        let actor = ctx.spawn_child(Spec::new(child_name(&name), make));
        self.actors.insert(name, actor);
    }

    fn tell(&self, name: &NodeName, message: NodeMessage) {
        let Some(actor) = self.actors.get(name) else {
            return;
        };
        if let Err(error) = actor.tell(message) {
            tracing::warn!(actor = actor.path(), %error, "a node is told later, with its full state");
        }
    }

    fn link(&self, event: LinkEvent) {
        let link = match &event {
            LinkEvent::Up { link, .. } | LinkEvent::Down { link, .. } => link,
        };
        if let Ok(name) = NodeName::parse(link.peer_name()) {
            self.tell(&name, NodeMessage::Link(event));
        }
    }

    fn capacity(&self, nodes: &[NodeName], reply: Reply<bool>, ctx: &mut Ctx) {
        let wanted = |name: &NodeName| nodes.is_empty() || nodes.contains(name);
        let asked: Vec<ActorRef<NodeMessage>> =
            self.actors.iter().filter(|(name, _)| wanted(name)).map(|(_, actor)| actor.clone()).collect();
        let asks = async move {
            let all = asked.iter().map(|actor| actor.ask(NodeMessage::Capacity, CAPACITY_LIMIT));
            futures_util::future::join_all(all).await;
        };
        ctx.run(asks, move |()| SatellitesMessage::Asked(Box::new(reply)));
    }
}

fn child_name(name: &NodeName) -> String {
    name.key().to_ascii_lowercase()
}

impl Behaviour for Satellites {
    type Message = SatellitesMessage;

    fn started(&mut self, ctx: &mut Ctx) {
        if let Some(endpoint) = &self.around.endpoint
            && ctx.incarnation() == 1
        {
            endpoint.subscribe(ctx.address());
        }
        self.news(News { everybody: true, ..News::default() }, ctx);
    }

    fn handle(&mut self, message: SatellitesMessage, reply: Reply<bool>, ctx: &mut Ctx) {
        match message {
            SatellitesMessage::News(news) => self.news(*news, ctx),
            SatellitesMessage::Link(event) => self.link(event),
            SatellitesMessage::Capacity(nodes) => return self.capacity(&nodes, reply, ctx),
            SatellitesMessage::Asked(reply) => reply.send(true),
            SatellitesMessage::Resync(name) => self.tell(&name, NodeMessage::Happened(ContactEvent::Resync)),
            SatellitesMessage::Reconnect(name) => self.tell(&name, NodeMessage::Happened(ContactEvent::Reconnect)),
        }
        reply.send(true);
    }
}
