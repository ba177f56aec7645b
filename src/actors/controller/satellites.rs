//! Keeps contact with every node's satellite: one child a node, started and ended as the committed cluster says.
//! Knows no decision; what nodes have to do it is told, and what they report it passes on.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::api::{ClusterMessage, View};
use super::satellite_link::{NodeActor, NodeMessage, Way};
use crate::actors::system::link::{Endpoint, LinkEvent};
use crate::actors::system::{ActorRef, Behaviour, Context, Message, Reply, Spec};
use crate::model::cluster::Cluster;
use crate::model::derive::is_connected_to;
use crate::model::desired::DesiredResource;
use crate::model::names::NodeName;
use crate::model::news::News;
use crate::model::node::Node;
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

/// See the module.
pub struct Satellites {
    around: Surroundings,
    nodes: BTreeMap<NodeName, Contact>,
}

struct Contact {
    way: Wanted,
    actor: ActorRef<NodeMessage>,
}

/// How a node is to be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Local,
    Remote(SocketAddr),
    Nowhere(&'static str),
}

impl Satellites {
    /// Without any contact yet.
    #[must_use]
    pub fn new(around: Surroundings) -> Self {
        Self { around, nodes: BTreeMap::new() }
    }

    fn wanted(&self, node: &Node) -> Wanted {
        if self.around.local.get(&node.name).is_some() {
            return Wanted::Local;
        }
        let interface = node.active_interface.as_ref().and_then(|name| node.net_interfaces.get(name));
        let port = interface.and_then(|interface| Some((interface, interface.satellite.as_ref()?)));
        match (port, &self.around.endpoint) {
            (Some((interface, satellite)), Some(_)) => {
                Wanted::Remote(SocketAddr::new(interface.address, satellite.port))
            }
            (None, _) => Wanted::Nowhere("No interface of the node says where its satellite listens"),
            (_, None) => Wanted::Nowhere("This process has no certificate for links to other processes"),
        }
    }

    /// Brings the contact with one node in line with its record.
    fn align(&mut self, cluster: &Cluster, name: &NodeName, ctx: &mut Ctx) {
        let wanted = cluster.nodes.get(name).filter(|node| is_connected_to(node)).map(|node| self.wanted(node));
        let known = self.nodes.get(name);
        if let (Some(wanted), Some(known)) = (&wanted, known)
            && *wanted == known.way
        {
            tell(&known.actor, NodeMessage::Pools);
            return;
        }
        self.end(name, ctx);
        if let Some(wanted) = wanted {
            self.begin(name, wanted, ctx);
        }
    }

    fn begin(&mut self, name: &NodeName, wanted: Wanted, ctx: &mut Ctx) {
        let way = match &wanted {
            Wanted::Local => self.around.local.get(name).map(Way::Local),
            Wanted::Remote(address) => {
                self.around.endpoint.clone().map(|endpoint| Way::Remote { endpoint, address: *address })
            }
            Wanted::Nowhere(why) => Some(Way::Nowhere(why)),
        };
        let Some(way) = way else {
            return;
        };
        let around = (self.around.view.clone(), self.around.cluster.clone());
        let node = name.clone();
        let spec = Spec::new(child_name(name), move || NodeActor::new(node.clone(), way.clone(), around.clone()));
        let actor = ctx.spawn_child(spec);
        self.nodes.insert(name.clone(), Contact { way: wanted, actor });
    }

    fn end(&mut self, name: &NodeName, ctx: &mut Ctx) {
        if self.nodes.remove(name).is_some() {
            ctx.stop_child(&child_name(name));
        }
    }

    fn news(&mut self, news: News, ctx: &mut Ctx) {
        let cluster = self.around.view.load();
        let names: Vec<NodeName> = match news.everybody {
            true => cluster.nodes.keys().chain(self.nodes.keys()).cloned().collect(),
            false => news.nodes,
        };
        for name in names {
            self.align(&cluster, &name, ctx);
        }
        let mut by_node: BTreeMap<NodeName, Vec<DesiredResource>> = BTreeMap::new();
        for (node, desired) in news.resources {
            by_node.entry(node).or_default().push(desired);
        }
        for (node, resources) in by_node {
            if let Some(contact) = self.nodes.get(&node) {
                tell(&contact.actor, NodeMessage::Apply(resources));
            }
        }
    }

    fn link(&self, event: LinkEvent) {
        let link = match &event {
            LinkEvent::Up { link, .. } | LinkEvent::Down { link, .. } => link,
        };
        let name = NodeName::parse(link.peer_name()).ok();
        if let Some(contact) = name.and_then(|name| self.nodes.get(&name)) {
            tell(&contact.actor, NodeMessage::Link(event));
        }
    }

    fn capacity(&self, nodes: &[NodeName], reply: Reply<bool>, ctx: &mut Ctx) {
        let wanted = |name: &NodeName| nodes.is_empty() || nodes.contains(name);
        let asked: Vec<ActorRef<NodeMessage>> =
            self.nodes.iter().filter(|(name, _)| wanted(name)).map(|(_, contact)| contact.actor.clone()).collect();
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

fn tell(actor: &ActorRef<NodeMessage>, message: NodeMessage) {
    if let Err(error) = actor.tell(message) {
        tracing::warn!(actor = actor.path(), %error, "a node is told later, with its full state");
    }
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
            SatellitesMessage::Resync(name) => {
                if let Some(contact) = self.nodes.get(&name) {
                    tell(&contact.actor, NodeMessage::Resync);
                }
            }
            SatellitesMessage::Reconnect(name) => {
                if let Some(contact) = self.nodes.get(&name) {
                    tell(&contact.actor, NodeMessage::Reconnect);
                }
            }
        }
        reply.send(true);
    }
}
