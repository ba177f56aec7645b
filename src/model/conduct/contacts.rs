//! Which nodes there shall be contact with, and how: brought in line with the committed cluster at each news. It makes no
//! contact itself.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use super::contact::{ContactEvent, Reach};
use crate::model::cluster::Cluster;
use crate::model::derive::is_connected_to;
use crate::model::desired::DesiredResource;
use crate::model::names::NodeName;
use crate::model::news::News;
use crate::model::node::Node;

/// What a process has to reach one node's satellite with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// The satellite is in the same process.
    Here,
    /// Links to other processes can be made.
    Links,
    /// Nothing: the process has no certificate for links.
    Nothing,
}

/// What the owner has to do. To be carried out in the order in which they were given.
#[derive(Debug, PartialEq)]
#[must_use]
pub enum ContactsEffect {
    /// Begin contact with a node that there is none with.
    Begin(NodeName, Reach),
    /// End contact with the node, and close its link.
    End(NodeName),
    /// Give the event to the node's contact.
    Tell(NodeName, ContactEvent),
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Contacts {
    nodes: BTreeMap<NodeName, Reach>,
}

impl Contacts {
    /// Nodes with a contact, and how each is reached.
    #[must_use]
    pub fn nodes(&self) -> &BTreeMap<NodeName, Reach> {
        &self.nodes
    }

    /// Takes news in that `cluster`, the committed state, has. A first call for `everybody` begins all contacts.
    pub fn news(&mut self, news: News, cluster: &Cluster, means: impl Fn(&NodeName) -> Means) -> Vec<ContactsEffect> {
        let mut effects = Vec::new();
        let names: BTreeSet<NodeName> = match news.everybody {
            true => cluster.nodes.keys().chain(self.nodes.keys()).cloned().collect(),
            false => news.nodes.into_iter().collect(),
        };
        for name in names {
            let node = cluster.nodes.get(&name).filter(|node| is_connected_to(node));
            let wanted = node.map(|node| reach(node, means(&name)));
            self.align(name, wanted, &mut effects);
        }
        let mut by_node: BTreeMap<NodeName, Vec<DesiredResource>> = BTreeMap::new();
        for (node, desired) in news.resources {
            by_node.entry(node).or_default().push(desired);
        }
        let known = by_node.into_iter().filter(|(node, _)| self.nodes.contains_key(node));
        effects.extend(known.map(|(node, all)| ContactsEffect::Tell(node, ContactEvent::Apply(all))));
        effects
    }

    /// Brings the contact with one node in line with what is wanted.
    fn align(&mut self, name: NodeName, wanted: Option<Reach>, effects: &mut Vec<ContactsEffect>) {
        let known = self.nodes.get(&name).copied();
        if known.is_some() && known == wanted {
            effects.push(ContactsEffect::Tell(name, ContactEvent::Pools));
            return;
        }
        if self.nodes.remove(&name).is_some() {
            effects.push(ContactsEffect::End(name.clone()));
        }
        if let Some(reach) = wanted {
            self.nodes.insert(name.clone(), reach);
            effects.push(ContactsEffect::Begin(name, reach));
        }
    }
}

/// How the node's satellite is reached.
#[must_use]
pub fn reach(node: &Node, means: Means) -> Reach {
    let interface = node.active_interface.as_ref().and_then(|name| node.net_interfaces.get(name));
    let listens = interface.and_then(|interface| Some((interface.address, interface.satellite.as_ref()?.port)));
    match (means, listens) {
        (Means::Here, _) => Reach::Local,
        (_, None) => Reach::Nowhere("No interface of the node says where its satellite listens"),
        (Means::Nothing, _) => Reach::Nowhere("This process has no certificate for links to other processes"),
        (Means::Links, Some((address, port))) => Reach::Remote(SocketAddr::new(address, port)),
    }
}
